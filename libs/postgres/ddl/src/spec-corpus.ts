/** A form of DDL. `since` is the first major that knows it on the source and takes it on the target. */
export interface Form {
  readonly sql: string;
  readonly since?: number;
  /** How many statements have to come out of it; default 1. */
  readonly commands?: number;
  readonly recopies?: readonly string[];
  readonly creates?: readonly string[];
  readonly drops?: readonly string[];
}

const form = (sql: string, rest: Omit<Form, 'sql'> = {}): Form => ({ sql, ...rest });
const none = (sql: string, rest: Omit<Form, 'sql'> = {}): Form => ({ sql, commands: 0, ...rest });

/** Each group runs on databases of its own, in order. */
export const CORPUS: Readonly<Record<string, readonly Form[]>> = {
  'tables and columns': [
    form('CREATE TABLE t (id int PRIMARY KEY, a text, b int NOT NULL DEFAULT 1)', { creates: ['t'] }),
    none('CREATE TABLE IF NOT EXISTS t (id int)'),
    form(
      'CREATE TABLE IF NOT EXISTS u (id bigserial PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE, CHECK (id > 0))',
      { creates: ['u'] },
    ),
    form('CREATE TABLE "Odd "" näme" ("Ä.b" int, "select" text)', { creates: ['Odd " näme'] }),
    form('CREATE TABLE copy_of (LIKE t INCLUDING ALL, extra int)', { creates: ['copy_of'] }),
    form('CREATE UNLOGGED TABLE fast (id int)', { creates: [] }),
    form('ALTER TABLE fast SET LOGGED', { creates: ['fast'], recopies: ['fast'] }),
    form('ALTER TABLE t ADD COLUMN c int'),
    form("ALTER TABLE t ADD COLUMN d text DEFAULT 'constant'"),
    form('ALTER TABLE t ADD COLUMN e timestamptz DEFAULT now()', { recopies: ['t'] }),
    form('ALTER TABLE t ADD COLUMN f float DEFAULT random()', { recopies: ['t'] }),
    form('ALTER TABLE t ADD COLUMN g serial', { recopies: ['t'] }),
    form('ALTER TABLE t ADD COLUMN IF NOT EXISTS g int, ADD h int'),
    form('ALTER TABLE t ADD COLUMN gen int GENERATED ALWAYS AS (b + 1) STORED', { since: 12 }),
    form('ALTER TABLE t ADD COLUMN ident int GENERATED ALWAYS AS IDENTITY', { recopies: ['t'] }),
    form('ALTER TABLE t ALTER COLUMN c TYPE bigint'),
    form('ALTER TABLE t ALTER COLUMN c TYPE text USING c::text'),
    form('ALTER TABLE t ALTER COLUMN c TYPE text USING upper(c)', { recopies: ['t'] }),
    form(
      "ALTER TABLE t ALTER c SET DEFAULT 'x', ALTER c SET NOT NULL, ALTER d SET STATISTICS 42, ALTER d SET STORAGE EXTERNAL",
    ),
    form('ALTER TABLE t RENAME COLUMN h TO "H h"'),
    form('ALTER TABLE t DROP COLUMN "H h"'),
    form('ALTER TABLE t DROP COLUMN IF EXISTS nothing'),
    form('ALTER TABLE t RENAME TO renamed'),
    form('ALTER TABLE renamed SET (fillfactor = 70)'),
    form('CREATE DOMAIN stamped AS timestamptz DEFAULT now(); ALTER TABLE renamed ADD COLUMN st stamped', {
      commands: 2,
      recopies: ['renamed'],
    }),
    form(
      'CREATE TABLE placed (id int PRIMARY KEY USING INDEX TABLESPACE pg_default, "tablespace" text, g int) TABLESPACE pg_default',
    ),
    none('ALTER TABLE placed SET TABLESPACE pg_default'),
    none('ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE pg_default'),
    form('CREATE TYPE row_type AS (a int, b text); CREATE TABLE typed OF row_type (a PRIMARY KEY)', {
      commands: 2,
      creates: ['typed'],
    }),
    form('ALTER TYPE row_type ADD ATTRIBUTE c int CASCADE'),
    form('ALTER TABLE typed NOT OF'),
    form('ALTER TABLE ONLY renamed REPLICA IDENTITY FULL'),
    form('ALTER TABLE renamed ENABLE ROW LEVEL SECURITY'),
    form('TABLE renamed; ALTER TABLE renamed ADD z1 int; ALTER TABLE renamed ADD z2 int /* ; */; SELECT 1', {
      commands: 2,
    }),
    none('DROP TABLE IF EXISTS never_was'),
    form('DROP TABLE IF EXISTS copy_of, never_was', { drops: ['copy_of'] }),
  ],
  'rows that a query makes': [
    form(
      'CREATE TABLE base AS SELECT i AS id, i::numeric(8,2) AS n, $$x$$::varchar(9) COLLATE "C" AS v FROM generate_series(1, 3) i',
      { creates: ['base'] },
    ),
    none('CREATE TABLE IF NOT EXISTS base AS SELECT 1'),
    form('SELECT id, now() AS at INTO selected FROM base', { creates: ['selected'] }),
    form('CREATE TABLE empty WITH (fillfactor = 50) AS TABLE base WITH NO DATA', { creates: ['empty'] }),
    form(
      'DO $$ DECLARE least int := 2; BEGIN CREATE TABLE by_variable AS SELECT id FROM base WHERE id > least; END $$',
      { creates: ['by_variable'] },
    ),
    form('PREPARE p AS SELECT id FROM base; CREATE TABLE prepared AS EXECUTE p', { creates: ['prepared'] }),
    form('CREATE MATERIALIZED VIEW stored AS SELECT count(*) AS n FROM base'),
    form('CREATE UNIQUE INDEX ON stored (n)'),
    form('REFRESH MATERIALIZED VIEW stored'),
    form('REFRESH MATERIALIZED VIEW CONCURRENTLY stored'),
    form('ALTER MATERIALIZED VIEW stored RENAME TO kept'),
    form('DROP MATERIALIZED VIEW kept'),
  ],
  'partitions and inheritance': [
    form('CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at)', { creates: [] }),
    form("CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('01/02/2020') TO ('2021-01-01')", {
      creates: ['parts_1'],
    }),
    form('CREATE TABLE parts_rest PARTITION OF parts DEFAULT', { creates: ['parts_rest'] }),
    form('CREATE INDEX parts_at ON parts (at)'),
    form(
      "CREATE TABLE loose (id int, at date); ALTER TABLE parts ATTACH PARTITION loose FOR VALUES FROM ('2022-01-01') TO ('2023-01-01')",
      { commands: 2 },
    ),
    form('ALTER TABLE parts ADD COLUMN r float DEFAULT random()', { recopies: ['loose', 'parts_1', 'parts_rest'] }),
    form('ALTER TABLE parts ADD COLUMN made timestamptz DEFAULT now()', {
      recopies: ['loose', 'parts_1', 'parts_rest'],
    }),
    form('ALTER TABLE parts DETACH PARTITION loose'),
    form(
      'CREATE INDEX parts_id ON ONLY parts (id); CREATE INDEX parts_1_id ON parts_1 (id); ALTER INDEX parts_id ATTACH PARTITION parts_1_id',
      { commands: 3 },
    ),
    form("CREATE TABLE quick PARTITION OF parts FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')"),
    form('ALTER TABLE parts ADD PRIMARY KEY (id, at)'),
    form('CREATE TABLE parent (id int); CREATE TABLE child (own text) INHERITS (parent)', { commands: 2 }),
    form('ALTER TABLE parent ADD COLUMN late text'),
    form('ALTER TABLE child NO INHERIT parent'),
    form('DROP TABLE parts', { drops: ['parts', 'parts_1', 'parts_rest', 'quick'] }),
  ],
  'indexes and constraints': [
    form('CREATE TABLE t (id int, a text, r int4range); CREATE TABLE o (id int PRIMARY KEY)', { commands: 2 }),
    form('CREATE INDEX ON t (a)'),
    form('CREATE INDEX ON t (a)'),
    form('CREATE INDEX /* c */ CONCURRENTLY later ON t (lower(a)) WHERE id > 0'),
    form('CREATE INDEX CONCURRENTLY ON t (id)'),
    none('CREATE INDEX IF NOT EXISTS later ON t (id)'),
    none('REINDEX TABLE t'),
    form('CREATE UNIQUE INDEX "Uniq" ON t (id) TABLESPACE pg_default'),
    form('ALTER INDEX later RENAME TO renamed_index'),
    form('ALTER INDEX renamed_index SET (fillfactor = 80)'),
    form('ALTER TABLE t ADD CONSTRAINT pk PRIMARY KEY USING INDEX "Uniq"'),
    form('ALTER TABLE t ADD CONSTRAINT some_check CHECK (id > 0) NOT VALID'),
    form('ALTER TABLE t VALIDATE CONSTRAINT some_check'),
    form('ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES o DEFERRABLE INITIALLY DEFERRED'),
    form('ALTER TABLE t ADD EXCLUDE USING gist (r WITH &&)'),
    form('ALTER TABLE t RENAME CONSTRAINT some_check TO "other Check"'),
    form('ALTER TABLE t DROP CONSTRAINT "other Check"'),
    form('ANALYZE t; DROP INDEX renamed_index'),
    form('DROP INDEX CONCURRENTLY IF EXISTS t_a_idx'),
    form('CREATE STATISTICS st ON id, a FROM t'),
    form('ALTER STATISTICS st SET STATISTICS 100', { since: 13 }),
  ],
  'schemas and search_path': [
    form('CREATE SCHEMA app CREATE TABLE made (id int) CREATE VIEW seen AS SELECT id FROM made', { creates: ['made'] }),
    form(
      'SET search_path = app, public; CREATE TABLE "T" (id int); CREATE VIEW v AS SELECT * FROM "T"; RESET search_path',
      { commands: 2 },
    ),
    form('CREATE SCHEMA "Other"; ALTER TABLE app."T" SET SCHEMA "Other"', { commands: 2 }),
    form('ALTER SCHEMA app RENAME TO application'),
    form('COMMENT ON SCHEMA application IS $q$it\'s "dollar" quoted$q$'),
    form('DROP SCHEMA "Other" CASCADE', { drops: ['T'] }),
    none('DROP SCHEMA IF EXISTS "Other"; CREATE SCHEMA IF NOT EXISTS application'),
  ],
  'views, rules, triggers and policies': [
    form('CREATE TABLE t (id int PRIMARY KEY, a text)'),
    form('CREATE VIEW v AS SELECT id, a FROM t'),
    form('CREATE OR REPLACE VIEW v AS SELECT id, a, 1 AS one FROM t'),
    form('ALTER VIEW v ALTER COLUMN a SET DEFAULT $$x$$'),
    form('ALTER VIEW v RENAME COLUMN one TO eins', { since: 13 }),
    form('CREATE RULE r AS ON DELETE TO t DO ALSO NOTIFY gone'),
    form('ALTER RULE r ON t RENAME TO r2'),
    form('CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN NEW; END; $f$'),
    form('CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE PROCEDURE fire()'),
    form('ALTER TRIGGER tr ON t RENAME TO tr2; ALTER TABLE t DISABLE TRIGGER tr2', { commands: 2 }),
    form('CREATE POLICY mine ON t FOR SELECT USING (id > 0)'),
    form('ALTER POLICY mine ON t USING (id > 1)'),
    form('ALTER POLICY mine ON t RENAME TO yours'),
    form('DROP POLICY yours ON t; DROP TRIGGER tr2 ON t; DROP RULE r2 ON t; DROP VIEW v', { commands: 4 }),
  ],
  'types, functions and sequences': [
    form("CREATE TYPE mood AS ENUM ('ok', 'bad')"),
    form("ALTER TYPE mood ADD VALUE 'better' AFTER 'ok'", { since: 12 }),
    form("ALTER TYPE mood RENAME VALUE 'bad' TO 'worse'"),
    form('CREATE TYPE pair AS (a int, b text)'),
    form('ALTER TYPE pair ADD ATTRIBUTE c mood'),
    form('ALTER TYPE pair RENAME ATTRIBUTE c TO d'),
    form('CREATE TYPE span AS RANGE (subtype = float8)'),
    form('CREATE DOMAIN positive AS int CHECK (VALUE > 0)'),
    form('ALTER DOMAIN positive ADD CONSTRAINT small CHECK (VALUE < 100)'),
    form('ALTER DOMAIN positive SET DEFAULT 7; ALTER DOMAIN positive RENAME TO natural_number', { commands: 2 }),
    form('CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT $1 * 2 $$'),
    form('CREATE OR REPLACE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT $1 + $1; $$'),
    form('ALTER FUNCTION twice(int) STRICT; ALTER FUNCTION twice(int) RENAME TO "Twice"', { commands: 2 }),
    form(
      'SET check_function_bodies = off; CREATE PROCEDURE proc() LANGUAGE sql AS $$ INSERT INTO does_not_exist VALUES (1) $$; RESET check_function_bodies',
      { commands: 1 },
    ),
    form('CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int)'),
    form('CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, PROCEDURE = int4eq)'),
    form('CREATE CAST (pair AS text) WITH INOUT'),
    form('CREATE COLLATION coll FROM "C"'),
    form('CREATE TEXT SEARCH CONFIGURATION conf (COPY = simple)'),
    form('CREATE SEQUENCE s START 5 INCREMENT 3; ALTER SEQUENCE s MAXVALUE 1000', { commands: 2 }),
    form('ALTER SEQUENCE s RENAME TO s2'),
    form('CREATE TABLE owning (id int); ALTER SEQUENCE s2 OWNED BY owning.id', { commands: 2 }),
    form('DROP FUNCTION "Twice"(int); DROP TYPE span; DROP AGGREGATE total(int); DROP OPERATOR === (int, int)', {
      commands: 4,
    }),
    form('DROP CAST (pair AS text); DROP TYPE pair', { commands: 2 }),
  ],
  'comments, privileges and owners': [
    form('CREATE TABLE t (id int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1$$', { commands: 2 }),
    form('COMMENT ON TABLE t IS $$a table$$'),
    form("COMMENT ON COLUMN t.id IS E'it\\'s'; COMMENT ON FUNCTION f() IS NULL", { commands: 2 }),
    form('GRANT SELECT (id), UPDATE (id) ON t TO sluice_reader'),
    form('GRANT SELECT, INSERT ON t TO sluice_reader WITH GRANT OPTION'),
    form('REVOKE INSERT ON t FROM sluice_reader; GRANT EXECUTE ON FUNCTION f() TO PUBLIC', { commands: 2 }),
    form(
      'GRANT USAGE ON SCHEMA public TO sluice_reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO sluice_reader',
      { commands: 2 },
    ),
    form('ALTER DEFAULT PRIVILEGES FOR ROLE sluice_owner GRANT SELECT ON TABLES TO sluice_reader'),
    form('SET ROLE sluice_owner; ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO sluice_reader; RESET ROLE'),
    form('ALTER TABLE t OWNER TO sluice_owner'),
    form('CREATE SCHEMA owned AUTHORIZATION sluice_owner'),
    form(
      'SET ROLE sluice_owner; CREATE TABLE owned.mine (id serial); CREATE FUNCTION owned.g(a int, "B" text) RETURNS int LANGUAGE sql AS $$SELECT 1$$; RESET ROLE',
      { commands: 2 },
    ),
    none(
      'CREATE TEMP TABLE temporary (id int); CREATE INDEX ON temporary (id); GRANT SELECT ON temporary TO sluice_reader; DROP TABLE temporary',
    ),
    none('COMMENT ON ROLE sluice_reader IS $$a role$$; ANALYZE t'),
    none('CREATE PUBLICATION other; DROP PUBLICATION other'),
  ],
  'functions, blocks and texts of many statements': [
    form(
      `DO $$ BEGIN CREATE TABLE a (id int); EXECUTE 'CREATE TABLE b (id int); ALTER TABLE b ADD x int; ALTER TABLE b ADD y int'; END $$`,
      { commands: 4 },
    ),
    form(
      `DO $$ BEGIN FOR i IN 1..3 LOOP EXECUTE format('ALTER TABLE a ADD c%s int, ADD d%s int', i, i); END LOOP; END $$`,
      { commands: 3 },
    ),
    form(
      `CREATE FUNCTION make() RETURNS int LANGUAGE sql AS $$ CREATE TABLE by_sql (id int); ALTER TABLE by_sql ADD x int; ALTER TABLE by_sql ADD y int; SELECT 1 $$`,
    ),
    form('SELECT make()', { commands: 3 }),
    form(
      `CREATE FUNCTION outer_one() RETURNS void LANGUAGE plpgsql AS $$ DECLARE i int;
      BEGIN i := inner_one('first'); PERFORM inner_one('sec"ond'); EXCEPTION WHEN division_by_zero THEN NULL; END $$;
      CREATE FUNCTION inner_one(name text) RETURNS int LANGUAGE plpgsql AS $$
      BEGIN EXECUTE format(E'CREATE TABLE %I (id int,\\n  "a""\\nPL/pgSQL function x" int)', name); RETURN 1; END $$`,
      { commands: 2 },
    ),
    form('SELECT outer_one()', { commands: 2 }),
    form(
      `DO $$ BEGIN FOR i IN 1..2 LOOP BEGIN
      EXECUTE 'ALTER TABLE a ADD once int; ALTER TABLE a ADD again int; SELECT 1 / ' || (i - 1);
      EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$`,
      { commands: 2 },
    ),
    form(
      'ALTER TABLE a ADD "é1" int; -- comment; ALTER TABLE a ADD "no" int\n ALTER TABLE a ADD "😀;" int;;\n COMMIT; ALTER TABLE a ADD e3 text DEFAULT $x$;$x$',
      { commands: 3 },
    ),
    form('BEGIN; CREATE TABLE gone (id int); ROLLBACK; CREATE TABLE stays (id int)'),
    none('BEGIN; CREATE TABLE gone (id int); SAVEPOINT s; ALTER TABLE gone ADD x int; ROLLBACK'),
    form('CREATE EXTENSION citext; CREATE TABLE with_citext (c citext); ALTER TABLE with_citext ADD d citext', {
      commands: 3,
    }),
    form(
      `CREATE PROCEDURE in_two() LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE two_1 (id int); COMMIT; ALTER TABLE two_1 ADD x int; END $$`,
    ),
    form('CALL in_two()', { commands: 2 }),
    form(
      `CREATE FUNCTION on_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('CREATE TABLE for_%s ()', NEW.id); RETURN NEW; END $$;
      CREATE TRIGGER makes BEFORE INSERT ON stays FOR EACH ROW EXECUTE PROCEDURE on_insert(); INSERT INTO stays VALUES (1), (2)`,
      { commands: 4 },
    ),
    form('DROP EXTENSION citext CASCADE'),
    form('CREATE EXTENSION hstore VERSION $$1.4$$; ALTER EXTENSION hstore UPDATE', { commands: 2 }),
    form(
      'CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE far (id int) SERVER s',
      { commands: 3, creates: [] },
    ),
    form('DROP FOREIGN DATA WRAPPER w CASCADE'),
    form(
      'CREATE SCHEMA postgres; SET search_path = "$user", nowhere, public; CREATE TABLE own (id int); CREATE VIEW own_view AS TABLE own; RESET search_path',
      { commands: 3 },
    ),
  ],
};
