import { describe, expect, it, jest } from '@jest/globals';
import { connect, inTransaction } from '@sluice/postgres-client';
import {
  dedicatedServer,
  PLAN_SETTINGS,
  planStructure as plan,
  runStatements,
  testDatabase,
  type TestDatabase,
  transferStructure as transfer,
} from '@sluice/testing';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { applyPreData, findCollisions, readStructure, readTargetFacts } from './index.js';

/** What a plan has to report instead of creating it, for a role that the target lacks. */
const unsupportedObjects = (role: string): string => `
  CREATE TABLE owned (id int PRIMARY KEY);
  ALTER TABLE owned OWNER TO ${role};
  GRANT SELECT ON owned TO ${role}, PUBLIC;
  CREATE POLICY own ON owned TO ${role} USING (true);
  ALTER DEFAULT PRIVILEGES FOR ROLE ${role} GRANT SELECT ON TABLES TO PUBLIC;
  CREATE FOREIGN DATA WRAPPER wrapper;
  CREATE SERVER server FOREIGN DATA WRAPPER wrapper;
  CREATE FOREIGN TABLE far (id int) SERVER server;
  CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
  CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION on_ddl();
  SELECT lo_create(0)`;

const VIEWS = readFileSync(path.join(import.meta.dirname, '../corpus/since-15/views-and-triggers.sql'), 'utf8');

describe('structure transfer', () => {
  it('keeps the column order of tables whose parent came or grew later', async () => {
    await using source = await testDatabase({
      schema: `CREATE TABLE base (id int, name text CHECK (name <> ''));
        CREATE TABLE grown (own text) INHERITS (base);
        CREATE TABLE adopted (first text, name text CHECK (name <> ''), id int);
        ALTER TABLE adopted ADD CONSTRAINT base_name_check CHECK (name <> '');
        ALTER TABLE adopted INHERIT base;
        ALTER TABLE base ADD COLUMN late text`,
    });
    await using target = await testDatabase();
    await transfer(source, target);
    const columns = (database: TestDatabase): Promise<unknown> =>
      database.query(`SELECT attrelid::regclass::text, attname, attinhcount FROM pg_attribute
        WHERE attrelid IN ('base'::regclass, 'grown'::regclass, 'adopted'::regclass) AND attnum > 0 ORDER BY 1, attnum`);
    expect(await columns(target)).toEqual(await columns(source));
  });

  it('names what the target has already, and finds nothing in an empty one', async () => {
    await using source = await testDatabase({ schema: VIEWS });
    await using target = await testDatabase();
    const structure = await plan(source, target);
    expect(await findCollisions(await target.connect(), structure)).toEqual([]);
    await target.query(
      'CREATE SCHEMA look; CREATE TABLE look.names (id int); CREATE FUNCTION look.fire() RETURNS int LANGUAGE sql AS $$SELECT 1$$',
    );
    expect(await findCollisions(await target.connect(), structure)).toEqual([
      'function "look"."fire"()',
      'relation "look"."names"',
    ]);
  });

  it('builds keys, foreign keys and materialized views over rows', async () => {
    await using source = await testDatabase({
      schema: `CREATE TABLE parent (id int PRIMARY KEY, name text UNIQUE);
        CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent, old int, CHECK (id > 0));
        ALTER TABLE child ADD CONSTRAINT never CHECK (old > 0) NOT VALID;
        CREATE MATERIALIZED VIEW first AS SELECT count(*) AS n FROM child;
        CREATE MATERIALIZED VIEW a_second AS SELECT n + 1 AS n FROM first`,
    });
    await using target = await testDatabase();
    const structure = await plan(source, target);
    const client = await target.connect(PLAN_SETTINGS);
    await inTransaction(client, 'BEGIN', () => applyPreData(client, structure));
    await target.query(`INSERT INTO parent VALUES (1, 'x'); INSERT INTO child VALUES (1, 1, -5), (2, 1, -5)`);
    await runStatements(client, [...structure.postData]);
    expect(await target.query('SELECT n FROM a_second')).toEqual([{ n: '3' }]);
    expect(
      await target.query(
        "SELECT conname, convalidated FROM pg_constraint WHERE contype IN ('c', 'f') AND conrelid <> 0 ORDER BY 1",
      ),
    ).toEqual([
      { conname: 'child_id_check', convalidated: true },
      { conname: 'child_parent_fkey', convalidated: true },
      { conname: 'never', convalidated: false },
    ]);
  });

  it('works for a role without superuser rights and names all that it leaves out', async () => {
    await using source = await testDatabase();
    await using target = await testDatabase();
    const gone = await source.createRole();
    await source.query(unsupportedObjects(gone.user));
    const role = await target.createRole();
    await target.query(`GRANT ALL ON SCHEMA public TO ${role.user}`);
    await target.query(`GRANT CREATE ON DATABASE ${target.name} TO ${role.user}`);
    await using client = await connect(role, { applicationName: 'test', settings: PLAN_SETTINGS });
    // Both databases are on one server, so the role is hidden from what the plan knows of the target.
    const known = await readTargetFacts(client);
    const facts = { ...known, roles: new Set([...known.roles].filter((name) => name !== gone.user)) };
    const structure = await readStructure(await source.connect(PLAN_SETTINGS), { target: facts, roles: 'existing' });
    await inTransaction(client, 'BEGIN', () => applyPreData(client, structure));
    await runStatements(client, [...structure.postData]);
    expect(structure.unsupported.map(({ kind, identity }) => `${kind}: ${identity}`).toSorted()).toEqual(
      [
        `default privileges: default privileges of role "${gone.user}" on TABLES`,
        'event trigger: event trigger "watch"',
        'foreign server: foreign server server',
        'foreign table: foreign table public.far',
        'foreign-data wrapper: foreign-data wrapper wrapper',
        `owner: role "${gone.user}"`,
        'owner: role "postgres"',
        'policy: policy "own" ON "public"."owned"',
        `privilege: role "${gone.user}"`,
      ].toSorted(),
    );
    await source.query(`DROP OWNED BY ${gone.user}`);
  });

  it.each([
    {
      what: 'a foreign table',
      sql: `CREATE FOREIGN DATA WRAPPER wrapper; CREATE SERVER elsewhere FOREIGN DATA WRAPPER wrapper;
        CREATE FOREIGN TABLE far (id int) SERVER elsewhere;
        CREATE VIEW near AS SELECT id FROM far;
        CREATE MATERIALIZED VIEW kept AS SELECT id FROM near WITH NO DATA;
        CREATE INDEX kept_id ON kept (id);
        CREATE FUNCTION of_far(far) RETURNS int LANGUAGE sql AS 'SELECT $1.id';
        CREATE TABLE local (id int DEFAULT of_far(NULL) CHECK (of_far(NULL) IS NULL), CONSTRAINT stays CHECK (id > 0));
        CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER fired BEFORE INSERT ON local FOR EACH ROW WHEN (of_far(NULL) > 1) EXECUTE FUNCTION fire();
        CREATE POLICY own ON local USING (EXISTS (SELECT FROM near));
        COMMENT ON CONSTRAINT local_check ON local IS 'goes with it'; COMMENT ON VIEW near IS 'so does this'`,
      leftOut: [
        'check "local_check" of "public"."local"',
        'default of "public"."local"."id"',
        'foreign server elsewhere',
        'foreign table public.far',
        'foreign-data wrapper wrapper',
        'function "public"."of_far"(public.far)',
        'index "public"."kept_id"',
        'unpopulated materialized view "public"."kept"',
        'policy "own" ON "public"."local"',
        'trigger "fired" ON "public"."local"',
        'view "public"."near"',
      ],
      remains: ['table "public"."local"', 'function "public"."fire"()'],
    },
    {
      what: 'an extension that the target lacks',
      sql: `CREATE EXTENSION hstore; CREATE TABLE with_type (a hstore); CREATE VIEW over AS SELECT a FROM with_type;
        CREATE TABLE part_of (id int, a text DEFAULT ('a=>1'::hstore)::text) PARTITION BY RANGE (id);
        CREATE TABLE part_1 PARTITION OF part_of FOR VALUES FROM (1) TO (2);
        CREATE INDEX by_member ON part_of USING gin ((hstore(ARRAY['a', a])));
        CREATE INDEX plain ON part_of (id)`,
      leftOut: [
        'default of "public"."part_1"."a"',
        'default of "public"."part_of"."a"',
        'extension "hstore"',
        'index "public"."by_member"',
        'index "public"."part_1_hstore_idx"',
        'table "public"."with_type"',
        'view "public"."over"',
      ],
      remains: [
        'table "public"."part_of"',
        'table "public"."part_1"',
        'index "public"."plain"',
        'index "public"."part_1_id_idx"',
      ],
    },
  ])('leaves out $what, with all that needs it, and names each', async ({ sql, leftOut, remains }) => {
    await using source = await testDatabase({ schema: sql });
    await using target = await testDatabase();
    const known = await readTargetFacts(await target.connect());
    const facts = {
      ...known,
      extensions: new Map([...(known.extensions ?? [])].filter(([name]) => name !== 'hstore')),
    };
    const structure = await readStructure(await source.connect(PLAN_SETTINGS), { target: facts, roles: 'existing' });
    expect(structure.unsupported.map(({ identity }) => identity).toSorted()).toEqual(leftOut.toSorted());
    const client = await target.connect(PLAN_SETTINGS);
    await inTransaction(client, 'BEGIN', () => applyPreData(client, structure));
    await runStatements(client, [...structure.postData]);
    const made = [...structure.preData, ...structure.postData].map(({ identity }) => identity);
    expect(made).toEqual(expect.arrayContaining(remains));
  });

  it('leaves out what only a superuser may create when the role of the target is none', async () => {
    await using source = await testDatabase({
      schema: `CREATE LANGUAGE own HANDLER plpgsql_call_handler;
        CREATE ACCESS METHOD own_heap TYPE TABLE HANDLER heap_tableam_handler;
        CREATE FUNCTION in_c(int4, int4) RETURNS int4 LANGUAGE internal IMMUTABLE STRICT AS 'int4pl';
        CREATE FUNCTION tight(int) RETURNS bool LANGUAGE sql LEAKPROOF AS 'SELECT true';
        CREATE FUNCTION loose(int) RETURNS bool LANGUAGE sql AS 'SELECT true';
        CREATE OPERATOR FAMILY family USING btree;
        CREATE CAST (bigint AS timestamptz) WITHOUT FUNCTION;
        CREATE AGGREGATE collected (anynonarray) (SFUNC = array_agg_transfn, STYPE = internal, FINALFUNC = array_agg_finalfn, FINALFUNC_EXTRA);
        CREATE AGGREGATE summed (int) (SFUNC = in_c, STYPE = int);
        CREATE TEXT SEARCH TEMPLATE template (LEXIZE = dsimple_lexize);
        CREATE TEXT SEARCH DICTIONARY dictionary (TEMPLATE = template);
        CREATE TYPE shell;
        REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(float8) FROM PUBLIC`,
    });
    await using target = await testDatabase();
    const role = await target.createRole();
    await target.query(`GRANT ALL ON SCHEMA public TO ${role.user}`);
    await target.query(`GRANT CREATE ON DATABASE ${target.name} TO ${role.user}`);
    await using client = await connect(role, { applicationName: 'test', settings: PLAN_SETTINGS });
    const facts = await readTargetFacts(client);
    const structure = await readStructure(await source.connect(PLAN_SETTINGS), { target: facts, roles: 'existing' });
    await inTransaction(client, 'BEGIN', () => applyPreData(client, structure));
    await runStatements(client, [...structure.postData]);
    const leftOut = structure.unsupported.map(({ identity }) => identity);
    expect(leftOut.filter((identity) => !identity.startsWith('role ')).toSorted()).toEqual(
      [
        'access method "own_heap"',
        'aggregate "public"."collected"(anynonarray)',
        'aggregate "public"."summed"(integer)',
        'cast (bigint AS timestamp with time zone)',
        'function "public"."in_c"(integer, integer)',
        'function "public"."tight"(integer)',
        'language "own"',
        'operator family "public"."family" USING "btree"',
        'privileges on FUNCTION pg_sleep(double precision)',
        'text search dictionary "public"."dictionary"',
        'text search template "public"."template"',
        'type "public"."shell"',
      ].toSorted(),
    );
  });

  it('leaves out what 14 gave up when the target is newer, with all that needs it', async () => {
    await using source = await testDatabase({
      major: 13,
      schema: `CREATE FUNCTION half(int) RETURNS int LANGUAGE sql AS 'SELECT $1 / 2';
        CREATE OPERATOR /! (PROCEDURE = half, LEFTARG = int);
        CREATE VIEW halves AS SELECT (4 /!) AS two;
        CREATE AGGREGATE gathered (anyelement) (SFUNC = array_append, STYPE = anyarray, INITCOND = '{}');
        CREATE AGGREGATE numbers (int) (SFUNC = array_append, STYPE = int[], INITCOND = '{}');
        CREATE OPERATOR @++ (PROCEDURE = array_cat, LEFTARG = anyarray, RIGHTARG = anyarray)`,
    });
    await using target = await testDatabase({ major: 18 });
    const { unsupported } = await transfer(source, target);
    expect(unsupported.map(({ identity }) => identity).toSorted()).toEqual(
      [
        'aggregate public.gathered(anyelement)',
        'operator public.@++(anyarray,anyarray)',
        'operator public./!(integer,NONE)',
        'view "public"."halves"',
      ].toSorted(),
    );
    await using same = await testDatabase({ major: 13 });
    expect((await transfer(source, same)).unsupported).toEqual([]);
  });

  it('lets an owner of all privileges keep all of them on a server that knows more', async () => {
    await using source = await testDatabase({
      major: 15,
      schema: `CREATE TABLE t (id int); GRANT SELECT ON t TO PUBLIC;
        ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC`,
    });
    await using target = await testDatabase({ major: 18 });
    await transfer(source, target);
    await target.query('CREATE TABLE later (id int)');
    const acls = `SELECT relname, (SELECT string_agg(a::text, ' ' ORDER BY a::text COLLATE "C") FROM unnest(relacl) a) AS acl
      FROM pg_class WHERE relname IN ('t', 'later') ORDER BY 1`;
    expect(await target.query(acls)).toEqual([
      { relname: 'later', acl: '=r/postgres postgres=arwdDxtm/postgres' },
      { relname: 't', acl: '=r/postgres postgres=arwdDxtm/postgres' },
    ]);
  });

  it.each([15, 18] as const)('lets children take NULL where their parent refuses it, on major %d', async (major) => {
    await using source = await testDatabase({
      major: 15,
      schema: `CREATE TABLE parent (id int NOT NULL, name text NOT NULL);
        CREATE TABLE child (own int) INHERITS (parent);
        CREATE TABLE strict () INHERITS (parent);
        ALTER TABLE child ALTER name DROP NOT NULL`,
    });
    await using target = await testDatabase({ major });
    await transfer(source, target);
    const columns = (database: TestDatabase): Promise<unknown> =>
      database.query(`SELECT attrelid::regclass::text AS relation, attname, attnotnull FROM pg_attribute
        WHERE attrelid IN ('parent'::regclass, 'child'::regclass, 'strict'::regclass) AND attnum > 0 ORDER BY 1, attnum`);
    expect(await columns(target)).toEqual(await columns(source));
  });

  it('makes the root of partitions unlogged where the server still knows that', async () => {
    const schema =
      'CREATE UNLOGGED TABLE root (a int) PARTITION BY RANGE (a); CREATE UNLOGGED TABLE leaf PARTITION OF root DEFAULT';
    await using source = await testDatabase({ major: 15, schema });
    await using same = await testDatabase({ major: 15 });
    await using newer = await testDatabase({ major: 18 });
    await transfer(source, same);
    await transfer(source, newer);
    const persistence = `SELECT relpersistence FROM pg_class WHERE relname IN ('leaf', 'root') ORDER BY relname`;
    expect(await same.query(persistence)).toEqual([{ relpersistence: 'u' }, { relpersistence: 'u' }]);
    expect(await newer.query(persistence)).toEqual([{ relpersistence: 'u' }, { relpersistence: 'p' }]);
  });

  it('maps tablespaces to the default of the target, and says so', async () => {
    await using server = await dedicatedServer({ major: 15, settings: { allow_in_place_tablespaces: 'on' } });
    await using source = await testDatabase({ server });
    await source.query(`CREATE TABLESPACE elsewhere LOCATION ''`);
    await source.query(`CREATE TABLE t (id int PRIMARY KEY USING INDEX TABLESPACE elsewhere, v text) TABLESPACE elsewhere;
      CREATE INDEX t_v ON t (v) TABLESPACE elsewhere;
      CREATE MATERIALIZED VIEW m TABLESPACE elsewhere AS SELECT id FROM t;
      CREATE TABLE parts (id int) PARTITION BY RANGE (id) TABLESPACE elsewhere;
      CREATE INDEX ON parts (id) TABLESPACE elsewhere`);
    await using target = await testDatabase({ major: 15 });
    const { unsupported } = await transfer(source, target);
    expect(unsupported).toMatchObject([
      { identity: 'tablespace elsewhere', reason: expect.stringContaining('default of the target') },
    ]);
    expect(await target.query(`SELECT relname FROM pg_class WHERE reltablespace <> 0 AND oid >= 16384`)).toEqual([]);
    expect(
      await target.query(
        `SELECT count(*)::int AS n FROM pg_index WHERE indexrelid >= 16384 AND indrelid IN ('t'::regclass, 'parts'::regclass)`,
      ),
    ).toEqual([{ n: 3 }]);
  });

  it('asks as many queries for many tables as for one', async () => {
    await using source = await testDatabase({ schema: 'CREATE TABLE t (id serial PRIMARY KEY, CHECK (id > 0))' });
    const facts = await readTargetFacts(await source.connect());
    const client = await source.connect(PLAN_SETTINGS);
    const counted = async (): Promise<number> => {
      const query = jest.spyOn(client, 'query');
      await readStructure(client, { target: facts, roles: 'existing' });
      const { length } = query.mock.calls;
      query.mockRestore();
      return length;
    };
    const forOne = await counted();
    await source.query(`DO $$ BEGIN FOR i IN 1..50 LOOP
      EXECUTE format('CREATE TABLE t_%s (id serial PRIMARY KEY, CHECK (id > 0))', i); END LOOP; END $$`);
    expect(await counted()).toBe(forOne);
  });

  it('leaves nothing behind and names the statement when one of the first phase fails', async () => {
    await using source = await testDatabase({ schema: 'CREATE TABLE a (id int); CREATE TABLE b (id int)' });
    await using target = await testDatabase({ schema: 'CREATE TABLE b (id int)' });
    const structure = await plan(source, target);
    const client = await target.connect();
    await expect(inTransaction(client, 'BEGIN', () => applyPreData(client, structure))).rejects.toMatchObject({
      code: 'SLUICE-3001',
      detail: expect.stringContaining('table "public"."b"'),
    });
    expect(await target.query("SELECT to_regclass('public.a') AS a")).toEqual([{ a: null }]);
  });
});
