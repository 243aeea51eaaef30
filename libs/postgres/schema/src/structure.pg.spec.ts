import { describe, expect, it, jest } from '@jest/globals';
import { type Client, connect, type Endpoint, inTransaction } from '@sluice/postgres-client';
import {
  everyType,
  KEYLESS,
  ORDERS,
  PARTITIONED,
  QUOTED_NAMES,
  testDatabase,
  type TestDatabase,
} from '@sluice/testing';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  applyPreData,
  findCollisions,
  readStructure,
  readTargetFacts,
  type Statement,
  type StructurePlan,
} from './index.js';

const CORPUS = path.join(import.meta.dirname, '../corpus');
const FILES = readdirSync(CORPUS).filter((name) => name.endsWith('.sql'));
/** pg_dump reads servers up to its own major; the newest that can run on every machine of ours is this. */
const DUMPED_MAJOR = 15;
const PLAN_SETTINGS = { search_path: '' };
const PREPARE_ROLES = `
  DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sluice_owner') THEN CREATE ROLE sluice_owner; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sluice_reader') THEN CREATE ROLE sluice_reader; END IF;
  END $$`;

/** Of every kind that a server of the major knows; what newer ones know besides is in the corpus and below. */
const SINCE_10 = `
  CREATE TYPE mood AS ENUM ('ok', 'bad');
  CREATE DOMAIN positive AS int CHECK (VALUE > 0);
  CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
  CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
  CREATE TABLE things (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n positive DEFAULT twice(2), m mood, s serial UNIQUE);
  CREATE TABLE refs (thing int REFERENCES things, EXCLUDE USING btree (thing WITH =));
  CREATE TABLE sub (extra text NOT NULL) INHERITS (things);
  CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
  CREATE INDEX ON things (twice(n)) WHERE m = 'ok';
  CREATE STATISTICS things_statistics ON n, m FROM things;
  CREATE VIEW counted AS SELECT id, n, count(*) FROM things GROUP BY id;
  CREATE MATERIALIZED VIEW stored AS SELECT m, total(n) FROM things GROUP BY m;
  CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER fired BEFORE INSERT ON things FOR EACH ROW EXECUTE PROCEDURE fire();
  CREATE RULE noted AS ON DELETE TO refs DO ALSO NOTIFY gone;
  CREATE POLICY mine ON things USING (true);
  GRANT SELECT ON things TO PUBLIC;
  COMMENT ON COLUMN things.n IS 'number'`;
const SINCE_11 = `
  CREATE PROCEDURE proc() LANGUAGE sql AS 'SELECT 1';
  ALTER TABLE parts ADD PRIMARY KEY (id, at);
  CREATE INDEX parts_at ON parts (at);
  CREATE TABLE parts_rest PARTITION OF parts DEFAULT;
  CREATE TRIGGER fired AFTER INSERT ON parts FOR EACH ROW EXECUTE PROCEDURE fire();
  CREATE INDEX ON things (id) INCLUDE (n)`;
const SINCE_12 = `
  CREATE TABLE made (a int, b int GENERATED ALWAYS AS (a * 2) STORED);
  CREATE TABLE part_refs (id int, at date, FOREIGN KEY (id, at) REFERENCES parts)`;
const SINCE_18 = `
  CREATE EXTENSION btree_gist;
  CREATE TABLE newest (a int CONSTRAINT "a is there" NOT NULL, v int GENERATED ALWAYS AS (a + 1) VIRTUAL, k int, r int4range,
    PRIMARY KEY (k, r WITHOUT OVERLAPS), CONSTRAINT loose CHECK (a > 0) NOT ENFORCED);
  ALTER TABLE newest ADD COLUMN later int;
  ALTER TABLE newest ADD CONSTRAINT later_not_null NOT NULL later NOT VALID`;

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

const corpus = (name: string): string => readFileSync(path.join(CORPUS, name), 'utf8');

async function plan(source: TestDatabase, target: TestDatabase): Promise<StructurePlan> {
  const facts = await readTargetFacts(await target.connect());
  const client = await source.connect(PLAN_SETTINGS);
  return inTransaction(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', () =>
    readStructure(client, { target: facts, roles: 'existing' }),
  );
}

/** As many as can meet in a deadlock, if the statements of a group were not independent. */
const WORKERS = 4;

/** Runs the plan as a load does: the first phase in a transaction, the second group by group with several workers. */
async function transfer(source: TestDatabase, target: TestDatabase): Promise<StructurePlan> {
  const structure = await plan(source, target);
  const client = await target.connect(PLAN_SETTINGS);
  await inTransaction(client, 'BEGIN', () => applyPreData(client, structure));
  const workers = await Promise.all(Array.from({ length: WORKERS }, () => target.connect(PLAN_SETTINGS)));
  for (const statements of Map.groupBy(structure.postData, ({ group }) => group).values()) {
    const left = [...statements];
    await Promise.all(workers.map((worker) => runAll(worker, left)));
  }
  return structure;
}

/** Takes statements until none is left. */
async function runAll(worker: Client, left: Statement[]): Promise<void> {
  for (let next = left.shift(); next; next = left.shift()) {
    const { identity, sql } = next;
    await worker.query(sql).catch((error: unknown) => {
      throw new Error(`${identity}: ${sql}`, { cause: error });
    });
  }
}

function findPgDump(): string | null {
  const folders = [
    ...(process.env['PATH'] ?? '').split(path.delimiter),
    ...listed('/usr/lib/postgresql').map((major) => `/usr/lib/postgresql/${major}/bin`),
  ];
  return (
    folders
      .map((folder) => path.join(folder, 'pg_dump'))
      .find((file) => listed(path.dirname(file)).includes('pg_dump')) ?? null
  );
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

async function dump(pgDump: string, endpoint: Endpoint): Promise<string[]> {
  const { host, port, user, database, password } = endpoint;
  const { stdout } = await promisify(execFile)(
    pgDump,
    ['--schema-only', '--no-publications', '--no-subscriptions', '-h', host, '-p', String(port), '-U', user, database],
    { env: { ...process.env, PGPASSWORD: password.reveal() }, maxBuffer: 100_000_000 },
  );
  return stdout.split('\n').filter((line) => !/^\\(un)?restrict/.test(line));
}

describe('structure transfer', () => {
  const pgDump = findPgDump();
  const withPgDump = pgDump === null ? it.skip : it;
  if (pgDump === null) process.stderr.write('pg_dump is not on this machine: dumps are not compared\n');

  withPgDump.each(FILES)('makes a database that pg_dump cannot tell from the source: %s', async (file) => {
    await using source = await testDatabase({ major: DUMPED_MAJOR, schema: `${PREPARE_ROLES}; ${corpus(file)}` });
    await using target = await testDatabase({ major: DUMPED_MAJOR });
    const { unsupported } = await transfer(source, target);
    expect(await dump(pgDump ?? '', target.endpoint)).toEqual(await dump(pgDump ?? '', source.endpoint));
    expect(unsupported).toEqual([]);
  });

  withPgDump.each(Object.entries({ everyType: everyType(DUMPED_MAJOR), KEYLESS, ORDERS, PARTITIONED, QUOTED_NAMES }))(
    'makes a database that pg_dump cannot tell from the source, of the shape %s',
    async (_, schema) => {
      await using source = await testDatabase({ major: DUMPED_MAJOR, schema });
      await using target = await testDatabase({ major: DUMPED_MAJOR });
      await transfer(source, target);
      expect(await dump(pgDump ?? '', target.endpoint)).toEqual(await dump(pgDump ?? '', source.endpoint));
    },
  );

  withPgDump('transfers its own result once more without a difference', async () => {
    const schema = [PREPARE_ROLES, ...FILES.map(corpus)].join(';\n');
    await using source = await testDatabase({ major: DUMPED_MAJOR, schema });
    await using middle = await testDatabase({ major: DUMPED_MAJOR });
    await using target = await testDatabase({ major: DUMPED_MAJOR });
    await transfer(source, middle);
    await transfer(middle, target);
    expect(await dump(pgDump ?? '', target.endpoint)).toEqual(await dump(pgDump ?? '', source.endpoint));
  });

  it('creates what a server of major 15 has on one of major 18', async () => {
    await using source = await testDatabase({ major: 15, schema: [PREPARE_ROLES, ...FILES.map(corpus)].join(';\n') });
    await using target = await testDatabase({ major: 18, schema: PREPARE_ROLES });
    const { unsupported } = await transfer(source, target);
    expect(unsupported).toEqual([]);
  });

  it.each([10, 11, 12, 13, 14, 16, 17, 18] as const)('reads and writes a server of major %d', async (major) => {
    const schema = `${SINCE_10}; ${major >= 11 ? SINCE_11 : ''}; ${major >= 12 ? SINCE_12 : ''}; ${major >= 18 ? SINCE_18 : ''}`;
    await using source = await testDatabase({ major, schema });
    await using target = await testDatabase({ major });
    await transfer(source, target);
    const texts = async (database: TestDatabase): Promise<unknown> => {
      const { preData, postData, unsupported } = await plan(database, target);
      return { preData, postData, unsupported };
    };
    expect(await texts(target)).toEqual(await texts(source));
  });

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
    await using source = await testDatabase({ schema: corpus('views-and-triggers.sql') });
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
    await runAll(client, [...structure.postData]);
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
    await runAll(client, [...structure.postData]);
    expect(structure.unsupported.map(({ kind, identity }) => `${kind}: ${identity}`).toSorted()).toEqual(
      [
        `default privileges: default privileges of role "${gone.user}" on TABLES`,
        'event trigger: event trigger "watch"',
        'foreign server: foreign server server',
        'foreign table: foreign table public.far',
        'foreign-data wrapper: foreign-data wrapper wrapper',
        'large objects: 1 large objects',
        `owner: role "${gone.user}"`,
        'owner: role "postgres"',
        'policy: policy "own" ON "public"."owned"',
        `privilege: role "${gone.user}"`,
      ].toSorted(),
    );
    await source.query(`DROP OWNED BY ${gone.user}`);
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
