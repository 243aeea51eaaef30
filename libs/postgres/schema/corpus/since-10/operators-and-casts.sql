-- Operators with all options, families with loose members, classes with storage and ordering, casts of each method and context.
CREATE SCHEMA ops;
CREATE SCHEMA "ops ""two""";
CREATE TYPE ops.version AS (major int, minor int);
CREATE FUNCTION ops.cmp(ops.version, ops.version) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS
  'SELECT CASE WHEN $1.major <> $2.major THEN btint4cmp($1.major, $2.major) ELSE btint4cmp($1.minor, $2.minor) END';
CREATE FUNCTION ops.lt(ops.version, ops.version) RETURNS bool LANGUAGE sql IMMUTABLE STRICT AS 'SELECT ops.cmp($1, $2) < 0';
CREATE FUNCTION ops.le(ops.version, ops.version) RETURNS bool LANGUAGE sql IMMUTABLE STRICT AS 'SELECT ops.cmp($1, $2) <= 0';
CREATE FUNCTION ops.eq(ops.version, ops.version) RETURNS bool LANGUAGE sql IMMUTABLE STRICT AS 'SELECT ops.cmp($1, $2) = 0';
CREATE FUNCTION ops.ne(ops.version, ops.version) RETURNS bool LANGUAGE sql IMMUTABLE STRICT AS 'SELECT ops.cmp($1, $2) <> 0';
CREATE FUNCTION ops.ge(ops.version, ops.version) RETURNS bool LANGUAGE sql IMMUTABLE STRICT AS 'SELECT ops.cmp($1, $2) >= 0';
CREATE FUNCTION ops.gt(ops.version, ops.version) RETURNS bool LANGUAGE sql IMMUTABLE STRICT AS 'SELECT ops.cmp($1, $2) > 0';
CREATE FUNCTION ops.eq_int(ops.version, int) RETURNS bool LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1.major = $2';
CREATE FUNCTION ops.cmp_int(ops.version, int) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT btint4cmp($1.major, $2)';
CREATE FUNCTION ops.hash(ops.version) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT hashint4($1.major)';
CREATE FUNCTION ops.next(ops.version) RETURNS ops.version LANGUAGE sql IMMUTABLE AS 'SELECT ROW($1.major, $1.minor + 1)::ops.version';
CREATE OPERATOR ops.< (PROCEDURE = ops.lt, LEFTARG = ops.version, RIGHTARG = ops.version, COMMUTATOR = OPERATOR(ops.>), NEGATOR = OPERATOR(ops.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR ops.<= (PROCEDURE = ops.le, LEFTARG = ops.version, RIGHTARG = ops.version, COMMUTATOR = OPERATOR(ops.>=), NEGATOR = OPERATOR(ops.>));
CREATE OPERATOR ops.= (PROCEDURE = ops.eq, LEFTARG = ops.version, RIGHTARG = ops.version, COMMUTATOR = OPERATOR(ops.=), NEGATOR = OPERATOR(ops.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR ops.<> (PROCEDURE = ops.ne, LEFTARG = ops.version, RIGHTARG = ops.version, COMMUTATOR = OPERATOR(ops.<>), NEGATOR = OPERATOR(ops.=), RESTRICT = neqsel);
CREATE OPERATOR ops.>= (PROCEDURE = ops.ge, LEFTARG = ops.version, RIGHTARG = ops.version);
CREATE OPERATOR ops.> (PROCEDURE = ops.gt, LEFTARG = ops.version, RIGHTARG = ops.version);
CREATE OPERATOR "ops ""two""".= (PROCEDURE = ops.eq_int, LEFTARG = ops.version, RIGHTARG = int);
CREATE OPERATOR ops.@++ (PROCEDURE = ops.next, RIGHTARG = ops.version);
-- Its commutator is never defined: it stays a shell.
CREATE OPERATOR ops.@@@ (PROCEDURE = ops.eq_int, LEFTARG = ops.version, RIGHTARG = int, COMMUTATOR = OPERATOR(ops.@@@@));
CREATE OPERATOR FAMILY ops.version_family USING btree;
CREATE OPERATOR CLASS ops.version_ops DEFAULT FOR TYPE ops.version USING btree FAMILY ops.version_family AS
  OPERATOR 1 ops.<, OPERATOR 2 ops.<=, OPERATOR 3 ops.=, OPERATOR 4 ops.>=, OPERATOR 5 ops.>, FUNCTION 1 ops.cmp(ops.version, ops.version);
ALTER OPERATOR FAMILY ops.version_family USING btree ADD
  OPERATOR 3 "ops ""two""".= (ops.version, int), FUNCTION 1 (ops.version, int) ops.cmp_int(ops.version, int);
CREATE OPERATOR CLASS ops.version_hash DEFAULT FOR TYPE ops.version USING hash AS OPERATOR 1 ops.=, FUNCTION 1 ops.hash(ops.version);
CREATE OPERATOR FAMILY ops.never_used USING gin;
CREATE FUNCTION ops.from_text(text) RETURNS ops.version LANGUAGE sql IMMUTABLE STRICT AS 'SELECT ROW(split_part($1, ''.'', 1)::int, split_part($1, ''.'', 2)::int)::ops.version';
CREATE FUNCTION ops.to_int(ops.version) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1.major';
CREATE FUNCTION ops.bit_out(ops.version, int, bool) RETURNS varbit LANGUAGE sql IMMUTABLE AS 'SELECT B''1''::varbit';
CREATE CAST (text AS ops.version) WITH FUNCTION ops.from_text(text) AS ASSIGNMENT;
CREATE CAST (ops.version AS int) WITH FUNCTION ops.to_int(ops.version) AS IMPLICIT;
CREATE CAST (ops.version AS varbit) WITH FUNCTION ops.bit_out(ops.version, int, bool);
CREATE CAST (ops.version AS jsonb) WITH INOUT;
CREATE CAST (bigint AS timestamptz) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE TABLE ops.releases (v ops.version PRIMARY KEY, before ops.version CHECK (before OPERATOR(ops.<) '(99,0)'), at point, n int DEFAULT ('1.2'::text)::ops.version);
CREATE INDEX releases_hash ON ops.releases USING hash (before);
CREATE VIEW ops.newest AS SELECT v, OPERATOR(ops.@++) v AS next FROM ops.releases WHERE v OPERATOR("ops ""two""".=) 3 ORDER BY v USING OPERATOR(ops.>);
COMMENT ON OPERATOR ops.< (ops.version, ops.version) IS 'older';
COMMENT ON OPERATOR ops.@++ (NONE, ops.version) IS 'next';
COMMENT ON OPERATOR CLASS ops.version_ops USING btree IS 'class';
COMMENT ON OPERATOR FAMILY ops.version_family USING btree IS 'family';
COMMENT ON CAST (text AS ops.version) IS 'cast';
