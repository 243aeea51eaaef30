-- Base types with every option, shell types, arrays of them, ranges with and without canonical and difference functions.
CREATE SCHEMA bases;
CREATE TYPE bases.shell_only;
CREATE TYPE bases.wide;
CREATE FUNCTION bases.wide_in(cstring, oid, int) RETURNS bases.wide LANGUAGE internal IMMUTABLE STRICT AS 'varcharin';
CREATE FUNCTION bases.wide_out(bases.wide) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'varcharout';
CREATE FUNCTION bases.wide_recv(internal, oid, int) RETURNS bases.wide LANGUAGE internal IMMUTABLE STRICT AS 'varcharrecv';
CREATE FUNCTION bases.wide_send(bases.wide) RETURNS bytea LANGUAGE internal IMMUTABLE STRICT AS 'varcharsend';
CREATE TYPE bases.wide (INPUT = bases.wide_in, OUTPUT = bases.wide_out, RECEIVE = bases.wide_recv, SEND = bases.wide_send,
  TYPMOD_IN = varchartypmodin, TYPMOD_OUT = varchartypmodout, ANALYZE = array_typanalyze, INTERNALLENGTH = VARIABLE, ALIGNMENT = int4,
  STORAGE = external, CATEGORY = 'W', PREFERRED = true, DEFAULT = 'it''s', DELIMITER = ';', COLLATABLE = true);
CREATE TYPE bases.narrow;
CREATE FUNCTION bases.narrow_in(cstring) RETURNS bases.narrow LANGUAGE internal IMMUTABLE STRICT AS 'int2in';
CREATE FUNCTION bases.narrow_out(bases.narrow) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int2out';
CREATE TYPE bases.narrow (INPUT = bases.narrow_in, OUTPUT = bases.narrow_out, LIKE = int2, CATEGORY = 'N');
CREATE CAST (bases.narrow AS int2) WITHOUT FUNCTION AS IMPLICIT;
CREATE TABLE bases.t (a bases.wide(7) COLLATE "C", b bases.wide[], c bases.narrow DEFAULT '5', d bases.narrow[]);
CREATE TYPE bases.steps;
CREATE FUNCTION bases.steps_canonical(bases.steps) RETURNS bases.steps LANGUAGE internal IMMUTABLE STRICT AS 'int4range_canonical';
CREATE FUNCTION bases.distance(int4, int4) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT ($1 - $2)::float8';
CREATE TYPE bases.steps AS RANGE (SUBTYPE = int4, CANONICAL = bases.steps_canonical, SUBTYPE_DIFF = bases.distance);
CREATE TYPE bases.words AS RANGE (SUBTYPE = text, COLLATION = "C", SUBTYPE_OPCLASS = text_pattern_ops);
CREATE TYPE bases."Times" AS RANGE (SUBTYPE = time);
CREATE DOMAIN bases.some_steps AS bases.steps CHECK (NOT isempty(VALUE));
CREATE TABLE bases.ranged (s bases.steps DEFAULT '[1,5)', w bases.words, t bases."Times"[], d bases.some_steps, EXCLUDE USING gist (s WITH &&));
