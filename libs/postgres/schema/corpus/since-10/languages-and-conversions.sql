-- Languages that belong to no extension, transforms and functions that use them, conversions, access methods for indexes.
CREATE SCHEMA speak;
CREATE LANGUAGE "own language" HANDLER plpgsql_call_handler INLINE plpgsql_inline_handler VALIDATOR plpgsql_validator;
CREATE TRUSTED LANGUAGE trusted_language HANDLER plpgsql_call_handler;
GRANT USAGE ON LANGUAGE trusted_language TO sluice_reader;
ALTER LANGUAGE trusted_language OWNER TO sluice_owner;
CREATE FUNCTION speak.in_own() RETURNS int LANGUAGE "own language" AS 'BEGIN RETURN 1; END';
CREATE FUNCTION speak.in_trusted(int) RETURNS int LANGUAGE trusted_language AS 'BEGIN RETURN $1; END';
CREATE TABLE speak.t (a int DEFAULT speak.in_own());
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
CREATE TRANSFORM FOR text LANGUAGE "own language" (FROM SQL WITH FUNCTION prsd_lextype(internal));
CREATE FUNCTION speak.transformed(int) RETURNS int LANGUAGE sql TRANSFORM FOR TYPE int AS 'SELECT $1';
CREATE CONVERSION speak.plain FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE DEFAULT CONVERSION speak."The default" FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
CREATE ACCESS METHOD own_btree TYPE INDEX HANDLER bthandler;
CREATE OPERATOR CLASS speak.own_int_ops DEFAULT FOR TYPE int4 USING own_btree AS
  OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int4, int4);
COMMENT ON CONVERSION speak."The default" IS 'conversion';
