import { describe, expect, it } from '@jest/globals';
import { type Endpoint, inTransaction } from '@sluice/postgres-client';
import { testDatabase, type TestDatabase } from '@sluice/testing';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { applyPreData, findCollisions, readStructure, readTargetFacts, type StructurePlan } from './index.js';

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

const corpus = (name: string): string => readFileSync(path.join(CORPUS, name), 'utf8');

async function plan(source: TestDatabase, target: TestDatabase): Promise<StructurePlan> {
  const facts = await readTargetFacts(await target.connect());
  const client = await source.connect(PLAN_SETTINGS);
  return inTransaction(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', () =>
    readStructure(client, { target: facts, roles: 'existing' }),
  );
}

/** Runs the plan as a load does: the first phase in a transaction, the second one statement after the other. */
async function transfer(source: TestDatabase, target: TestDatabase): Promise<StructurePlan> {
  const structure = await plan(source, target);
  const client = await target.connect(PLAN_SETTINGS);
  await inTransaction(client, 'BEGIN', () => applyPreData(client, structure));
  for (const { sql, identity } of structure.postData) {
    await client.query(sql).catch((error: unknown) => {
      throw new Error(`${identity}: ${sql}`, { cause: error });
    });
  }
  return structure;
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
