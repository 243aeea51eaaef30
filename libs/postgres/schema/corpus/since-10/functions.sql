-- Functions with every option, argument mode, default, result and language; overloads; bodies that must be quoted.
CREATE SCHEMA func;
CREATE TYPE func.pair AS (a int, b text);
CREATE TABLE func.rows (id int, v text);
CREATE FUNCTION func.options(a int) RETURNS int LANGUAGE plpgsql IMMUTABLE STRICT LEAKPROOF SECURITY DEFINER PARALLEL SAFE COST 3.5
  SET search_path = func, "Odd Schema", pg_temp SET work_mem = '16MB' SET "my.setting" = 'it''s' SET DateStyle FROM CURRENT AS 'BEGIN RETURN a; END';
CREATE FUNCTION func.modes(IN a int, OUT b int, INOUT c text DEFAULT 'x''y', VARIADIC d numeric[] DEFAULT ARRAY[1, 2.5]) LANGUAGE sql STABLE AS $$ SELECT 1, 'a'::text $$;
CREATE FUNCTION func.rows_of(int = 5, "other name" func.pair = ROW(1, 'b')) RETURNS SETOF func.rows LANGUAGE sql ROWS 77 AS 'SELECT * FROM func.rows';
CREATE FUNCTION func.table_of(n int) RETURNS TABLE (a int, "B" text[], c func.pair) LANGUAGE sql PARALLEL RESTRICTED AS $body$ SELECT 1, '{}'::text[], NULL::func.pair $body$;
CREATE FUNCTION func.record() RETURNS SETOF record LANGUAGE sql AS 'SELECT 1, 2';
CREATE FUNCTION func.nothing() RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION func.quoted() RETURNS text LANGUAGE plpgsql AS $outer$ BEGIN RETURN $function$a$function$ || $_$ $_$ || '$$' || E'\\'; END $outer$;
CREATE FUNCTION func.over(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION func.over(text) RETURNS int LANGUAGE sql AS 'SELECT 2';
CREATE FUNCTION func.over(func.pair[]) RETURNS int LANGUAGE sql AS 'SELECT 3';
CREATE FUNCTION func.poly(anyarray, anyelement) RETURNS anyelement LANGUAGE sql AS 'SELECT $2';
CREATE FUNCTION func.polyrange(anyrange) RETURNS anyelement LANGUAGE sql AS 'SELECT lower($1)';
CREATE FUNCTION func.internal(int4, int4) RETURNS int4 LANGUAGE internal IMMUTABLE STRICT AS 'int4pl';
CREATE FUNCTION func.of_column(func.rows.v%TYPE) RETURNS func.rows.id%TYPE LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION func.timed(timestamp(3) with time zone, numeric(10, 2), varchar(5)) RETURNS interval LANGUAGE sql AS 'SELECT interval ''1 day''';
CREATE FUNCTION func.of_later_view() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM func.later); END';
CREATE VIEW func.later AS SELECT func.over(1) AS n, func.of_later_view() AS total;
CREATE TABLE func.uses (a int DEFAULT func.options(2), b text DEFAULT func.quoted() CHECK (func.over(b) > 0), c int DEFAULT func.over(ARRAY[ROW(1, 'x')::func.pair]));
COMMENT ON FUNCTION func.over(func.pair[]) IS 'overloaded';
ALTER FUNCTION func.over(text) OWNER TO sluice_owner;
ALTER FUNCTION func.modes(int, text, numeric[]) SET statement_timeout TO DEFAULT;
