-- Functions, aggregates, operators, casts and operator classes that defaults, checks and indexes depend on.
CREATE EXTENSION citext WITH SCHEMA public;
CREATE SCHEMA fn;
CREATE SCHEMA "used by";
CREATE TABLE fn.settings (key text PRIMARY KEY, value text);
CREATE FUNCTION fn.setting(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT value FROM fn.settings WHERE key = $1';
CREATE FUNCTION fn.is_short(value text, "max length" int DEFAULT 10) RETURNS boolean
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 7 AS $$ BEGIN RETURN length(value) < "max length"; END $$;
CREATE FUNCTION fn.normalized(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
CREATE FUNCTION fn.all_settings(VARIADIC keys text[], OUT found int, OUT texts text[]) RETURNS SETOF record
  LANGUAGE sql ROWS 5 SECURITY DEFINER SET work_mem = '8MB' SET search_path TO fn, public AS 'SELECT 1, $1';
CREATE FUNCTION fn.as_table(a int) RETURNS TABLE (x int, y text) LANGUAGE sql AS 'SELECT a, a::text';
CREATE PROCEDURE fn.clean_up(INOUT n int) LANGUAGE plpgsql AS $$ BEGIN n := n + 1; COMMIT; END $$;
CREATE TABLE "used by".guarded (
  id text DEFAULT fn.setting('first'),
  name text CHECK (fn.is_short(name, 20)),
  clean text GENERATED ALWAYS AS (fn.normalized(name)) STORED
);
CREATE INDEX guarded_normalized ON "used by".guarded (fn.normalized(name));
-- A function on the row type of a table that checks with it: a ring.
CREATE TABLE fn.ring (a int, b int);
CREATE FUNCTION fn.ring_ok(fn.ring) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.a < $1.b';
ALTER TABLE fn.ring ADD CONSTRAINT ring_check CHECK (fn.ring_ok(ring));
CREATE FUNCTION fn.ring_count() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM fn.ring; END;
ALTER TABLE fn.ring ALTER COLUMN a SET DEFAULT fn.ring_count();
CREATE TYPE fn.complex AS (re float8, im float8);
CREATE FUNCTION fn.complex_add(fn.complex, fn.complex) RETURNS fn.complex LANGUAGE sql IMMUTABLE
  AS 'SELECT ROW($1.re + $2.re, $1.im + $2.im)::fn.complex';
CREATE FUNCTION fn.complex_eq(fn.complex, fn.complex) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.re = $2.re AND $1.im = $2.im';
CREATE FUNCTION fn.complex_ne(fn.complex, fn.complex) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT NOT ($1.re = $2.re AND $1.im = $2.im)';
CREATE FUNCTION fn.complex_hash(fn.complex) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT hashfloat8($1.re)';
CREATE FUNCTION fn.complex_from_text(text) RETURNS fn.complex LANGUAGE sql IMMUTABLE AS 'SELECT ROW($1::float8, 0)::fn.complex';
CREATE FUNCTION fn.negate(fn.complex) RETURNS fn.complex LANGUAGE sql IMMUTABLE AS 'SELECT ROW(-$1.re, -$1.im)::fn.complex';
CREATE OPERATOR fn.+ (FUNCTION = fn.complex_add, LEFTARG = fn.complex, RIGHTARG = fn.complex, COMMUTATOR = OPERATOR(fn.+));
CREATE OPERATOR fn.== (FUNCTION = fn.complex_eq, LEFTARG = fn.complex, RIGHTARG = fn.complex, COMMUTATOR = OPERATOR(fn.==),
  NEGATOR = OPERATOR(fn.!==), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES);
CREATE OPERATOR fn.!== (FUNCTION = fn.complex_ne, LEFTARG = fn.complex, RIGHTARG = fn.complex, NEGATOR = OPERATOR(fn.==));
CREATE OPERATOR fn.!! (FUNCTION = fn.negate, RIGHTARG = fn.complex);
CREATE OPERATOR FAMILY fn.complex_family USING hash;
CREATE OPERATOR CLASS fn.complex_ops DEFAULT FOR TYPE fn.complex USING hash FAMILY fn.complex_family AS
  OPERATOR 1 fn.==, FUNCTION 1 fn.complex_hash(fn.complex);
CREATE OPERATOR CLASS fn.int_reverse FOR TYPE int4 USING btree AS
  OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint4cmp(int4, int4);
CREATE OPERATOR FAMILY fn.loose USING btree;
ALTER OPERATOR FAMILY fn.loose USING btree ADD OPERATOR 1 < (int8, int4), FUNCTION 1 (int8, int4) btint84cmp(int8, int4);
CREATE CAST (text AS fn.complex) WITH FUNCTION fn.complex_from_text(text) AS ASSIGNMENT;
CREATE CAST (fn.complex AS json) WITH INOUT;
CREATE AGGREGATE fn.complex_sum (fn.complex) (SFUNC = fn.complex_add, STYPE = fn.complex, INITCOND = '(0,0)', PARALLEL = SAFE, COMBINEFUNC = fn.complex_add);
CREATE AGGREGATE fn.row_count (*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0', MSFUNC = int8inc, MINVFUNC = int8dec, MSTYPE = int8, MINITCOND = '0');
CREATE AGGREGATE fn.middle (float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE TABLE fn.plane (at fn.complex, n int, CHECK (at OPERATOR(fn.!==) '(0,0)'::fn.complex));
CREATE INDEX plane_at ON fn.plane USING hash (at fn.complex_ops);
CREATE INDEX plane_n ON fn.plane (n fn.int_reverse);
CREATE CONVERSION fn.conversion FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE DOMAIN fn.short AS text CHECK (fn.is_short(VALUE));
CREATE FUNCTION fn.takes_domain(fn.short) RETURNS fn.short LANGUAGE sql AS 'SELECT $1';
CREATE TYPE fn.stepped;
CREATE FUNCTION fn.stepped_canonical(fn.stepped) RETURNS fn.stepped LANGUAGE internal IMMUTABLE STRICT AS 'int4range_canonical';
CREATE TYPE fn.stepped AS RANGE (SUBTYPE = int4, CANONICAL = fn.stepped_canonical, MULTIRANGE_TYPE_NAME = fn.many_stepped);
CREATE TYPE fn.opaque;
CREATE FUNCTION fn.opaque_in(cstring) RETURNS fn.opaque LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION fn.opaque_out(fn.opaque) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE fn.opaque (INPUT = fn.opaque_in, OUTPUT = fn.opaque_out, LIKE = text, CATEGORY = 'S');
CREATE TABLE fn.uses_types (a fn.stepped, b fn.many_stepped, c fn.opaque, d fn.opaque[], e fn.plane[], f citext);
CREATE TYPE fn.never_defined;
