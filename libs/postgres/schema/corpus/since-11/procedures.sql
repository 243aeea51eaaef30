-- Procedures with every kind of argument and option, and their privileges; functions and aggregates known from 11 on.
CREATE SCHEMA proc;
CREATE PROCEDURE proc.nothing() LANGUAGE sql AS '';
CREATE PROCEDURE proc."In out"(a int, INOUT b text DEFAULT 'x', VARIADIC c int[] DEFAULT '{}') LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN b := a::text; END $$;
CREATE PROCEDURE proc.commits() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;
CREATE PROCEDURE proc.over(int) LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE proc.over(text) LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION proc.over(bool) RETURNS int LANGUAGE sql AS 'SELECT 1';
REVOKE ALL ON PROCEDURE proc.commits() FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE proc.commits() TO sluice_reader WITH GRANT OPTION;
GRANT EXECUTE ON ROUTINE proc.over(text) TO sluice_owner;
ALTER PROCEDURE proc.over(int) OWNER TO sluice_owner;
COMMENT ON PROCEDURE proc."In out"(int, text, int[]) IS 'procedure';
CREATE AGGREGATE proc.modified (float8) (SFUNC = float8_accum, STYPE = float8[], FINALFUNC = float8_avg, FINALFUNC_MODIFY = SHAREABLE, INITCOND = '{0,0,0}',
  MSFUNC = float8pl, MINVFUNC = float8mi, MSTYPE = float8, MFINALFUNC = float8abs, MFINALFUNC_MODIFY = READ_WRITE);
CREATE DOMAIN proc.of_composite AS pg_catalog.pg_operator CHECK ((VALUE).oprname <> 'x');
CREATE FUNCTION proc.with_domain(proc.of_composite[]) RETURNS proc.of_composite LANGUAGE sql AS 'SELECT $1[1]';
