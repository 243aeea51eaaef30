import { describe, expect, it } from '@jest/globals';
import { ObjectSelection } from '@sluice/contracts';
import { type PostgresMajor } from '@sluice/embedded';
import { judgeObjects } from '@sluice/model';
import { inTransaction } from '@sluice/postgres-client';
import { testDatabase, type TestDatabase } from '@sluice/testing';
import { applyPreData, readStructure, readTargetFacts, type StructurePlan, withRoles } from '../index.js';

const SCHEMA = `
  CREATE SCHEMA app; CREATE SCHEMA log; CREATE SCHEMA "odd.one"; CREATE SCHEMA empty;
  CREATE TYPE app.mood AS ENUM ('ok', 'bad');
  CREATE DOMAIN log.positive AS int CONSTRAINT above CHECK (VALUE > 0);
  COMMENT ON CONSTRAINT above ON DOMAIN log.positive IS 'more than nothing';
  CREATE FUNCTION log.twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
  CREATE FUNCTION log.fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE FUNCTION log.unused() RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE SEQUENCE log.numbers;
  CREATE TABLE app.customers (id serial PRIMARY KEY, m app.mood, p log.positive);
  CREATE TABLE app.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int DEFAULT nextval('log.numbers'),
    customer int REFERENCES app.customers, CHECK (log.twice(n) > 0));
  CREATE INDEX on_twice ON app.orders (log.twice(n));
  CREATE TRIGGER fired BEFORE INSERT ON app.orders FOR EACH ROW EXECUTE PROCEDURE log.fire();
  CREATE VIEW app.shown AS SELECT o.id, c.m FROM app.orders o JOIN app.customers c ON c.id = o.customer;
  CREATE MATERIALIZED VIEW app.sums AS SELECT count(*) FROM app.shown;
  CREATE TABLE app.parts (id int, at date) PARTITION BY RANGE (at);
  CREATE TABLE log.parts_1 PARTITION OF app.parts FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
  CREATE TABLE app.base (id int);
  CREATE TABLE app.child (extra int) INHERITS (app.base);
  CREATE TABLE log.entries (id serial, at date); COMMENT ON TABLE log.entries IS 'many';
  CREATE TABLE "odd.one"."a ""b"" *" (id int);
  CREATE CAST (app.mood AS log.positive) WITH INOUT;
  ALTER DEFAULT PRIVILEGES IN SCHEMA log GRANT SELECT ON TABLES TO PUBLIC`;

async function planOf(source: TestDatabase, target: TestDatabase, selection: unknown): Promise<StructurePlan> {
  const facts = await readTargetFacts(await target.connect());
  const judge = judgeObjects(ObjectSelection.parse(selection));
  const client = await source.connect({ search_path: '' });
  return inTransaction(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', () =>
    readStructure(client, { target: facts, roles: 'existing', judge }),
  );
}

async function carryOut(target: TestDatabase, plan: StructurePlan): Promise<void> {
  const client = await target.connect({ search_path: '' });
  await inTransaction(client, 'BEGIN', () => applyPreData(client, plan));
  for (const { sql } of plan.postData) await client.query(sql);
}

async function objectsOf(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ name: string }>(`
    SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname !~ '^(pg_|information_schema)'
    UNION ALL SELECT n.nspname || '.' || p.proname || '()' FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid >= 16384
    UNION ALL SELECT 'domain ' || t.typname FROM pg_type t WHERE t.typtype = 'd' AND t.oid >= 16384
    UNION ALL SELECT 'enum ' || t.typname FROM pg_type t WHERE t.typtype = 'e'
    UNION ALL SELECT 'cast' FROM pg_cast WHERE oid >= 16384
    UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema|public)'
    UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'default privileges' FROM pg_default_acl
    ORDER BY 1`);
  return rows.map(({ name }) => name).toSorted();
}

const table = (schema: string, name: string) => ({ kind: 'table', schema, name });

describe.each<PostgresMajor>([10, 13, 18])('on PostgreSQL %i', (major) => {
  it('listed tables bring what they need, their sequences and partitions, and nothing else', async () => {
    await using source = await testDatabase({ major, schema: SCHEMA });
    await using target = await testDatabase({ major });
    const plan = await planOf(source, target, {
      level: 'table',
      objects: [table('app', 'orders'), table('app', 'customers'), table('app', 'parts'), table('odd.one', 'a "b" *')],
    });
    expect(plan.missing).toEqual([]);
    expect(plan.unsupported).toEqual([]);
    await carryOut(target, plan);
    expect(await objectsOf(target)).toEqual([
      'app.customers',
      'app.customers_id_seq',
      'app.orders',
      'app.orders_id_seq',
      'app.parts',
      'cast',
      'domain positive',
      'enum mood',
      'log.fire()',
      'log.numbers',
      'log.parts_1',
      'log.twice()',
      'odd.one.a "b" *',
      'schema app',
      'schema log',
      'schema odd.one',
      'trigger fired',
    ]);
    const brought = plan.brought.map(({ kind, schema, name }) => `${kind} ${schema}.${name}`);
    expect(brought.toSorted()).toEqual([
      'function log.fire',
      'function log.twice',
      'sequence app.customers_id_seq',
      'sequence app.orders_id_seq',
      'sequence log.numbers',
      'type app.mood',
      'type log.positive',
    ]);
  });

  it('patterns take in and leave out; the sequence of a column goes with its table', async () => {
    await using source = await testDatabase({ major, schema: SCHEMA });
    await using target = await testDatabase({ major });
    const plan = await planOf(source, target, {
      level: 'database',
      exclude: ['log.entries', 'log.unused', '"odd.one".*'],
    });
    expect(plan.missing).toEqual([]);
    await carryOut(target, plan);
    const [there, all] = [await objectsOf(target), await objectsOf(source)];
    expect(all.filter((name) => !there.includes(name))).toEqual([
      'log.entries',
      'log.entries_id_seq',
      'log.unused()',
      'odd.one.a "b" *',
      'schema odd.one',
    ]);
  });

  it.each([
    [
      'a foreign key',
      [table('app', 'orders')],
      ['app.customers for foreign key "orders_customer_fkey" ON "app"."orders"'],
    ],
    [
      'a view',
      [{ kind: 'view', schema: 'app', name: 'shown' }],
      ['app.customers for view "app"."shown"', 'app.orders for view "app"."shown"'],
    ],
    [
      'a view of a view',
      [{ kind: 'materialized_view', schema: 'app', name: 'sums' }],
      ['app.shown for materialized view "app"."sums"'],
    ],
    ['a parent', [table('app', 'child')], ['app.base for table "app"."child"']],
    [
      'the root of a partition',
      [table('log', 'parts_1')],
      [expect.stringMatching(/^app.parts for (table|partition) "log"."parts_1"/)],
    ],
  ])('%s that is not selected is missing, and is not taken', async (_, objects, expected) => {
    await using source = await testDatabase({ major, schema: SCHEMA });
    await using target = await testDatabase({ major });
    const plan = await planOf(source, target, { level: 'table', objects });
    expect(plan.missing.map(({ schema, name, neededBy }) => `${schema}.${name} for ${neededBy}`).toSorted()).toEqual(
      expected,
    );
    expect(plan.preData.filter(({ kind }) => kind === 'table').length).toBe(
      objects.filter(({ kind }) => kind === 'table').length,
    );
  });

  it('a policy that reads a table needs it', async () => {
    await using source = await testDatabase({
      major,
      schema: `${SCHEMA}; CREATE POLICY own ON app.customers USING (EXISTS (SELECT FROM log.entries))`,
    });
    await using target = await testDatabase({ major });
    const plan = await planOf(source, target, { level: 'table', objects: [table('app', 'customers')] });
    expect(plan.missing).toMatchObject([
      { kind: 'table', schema: 'log', name: 'entries', neededBy: 'policy "own" ON "app"."customers"' },
    ]);
  });
});

it.each<PostgresMajor>([11, 12, 18])(
  'an index of a partitioned table on %i is joined without those of others',
  async (major) => {
    const partitioned = (name: string): string => `CREATE TABLE ${name} (id int) PARTITION BY RANGE (id);
    CREATE TABLE ${name}_1 PARTITION OF ${name} FOR VALUES FROM (0) TO (9); CREATE INDEX ${name}_id ON ${name} (id)`;
    await using source = await testDatabase({ major, schema: `${partitioned('first')}; ${partitioned('second')}` });
    await using target = await testDatabase({ major });
    const plan = await planOf(source, target, { level: 'table', objects: [table('public', 'second')] });
    await carryOut(target, plan);
    expect(
      await target.query(`
      SELECT indexrelid::regclass::text AS name, indisvalid AS valid FROM pg_index
      WHERE indrelid IN ('second'::regclass, 'second_1'::regclass) ORDER BY 1`),
    ).toEqual([
      { name: 'second_1_id_idx', valid: true },
      { name: 'second_id', valid: true },
    ]);
  },
);

it('what needs an object that cannot be created is left out and told; what nobody asked for is not told', async () => {
  await using source = await testDatabase({
    schema: `CREATE FOREIGN DATA WRAPPER wrapper; CREATE SERVER elsewhere FOREIGN DATA WRAPPER wrapper;
      CREATE FOREIGN TABLE far (id int) SERVER elsewhere; CREATE VIEW near AS SELECT id FROM far;
      CREATE VIEW aside AS SELECT id FROM far; CREATE TABLE t (id int)`,
  });
  await using target = await testDatabase();
  const plan = await planOf(source, target, {
    level: 'table',
    objects: [table('public', 't'), { kind: 'view', schema: 'public', name: 'near' }],
  });
  expect(plan.unsupported).toMatchObject([
    { identity: 'view "public"."near"', reason: 'it needs foreign table public.far, which is left out' },
  ]);
  expect(plan.preData.map(({ identity }) => identity)).not.toContain('view "public"."near"');
});

it('rights on what every database has come with the whole database only, and not to roles without privileges', async () => {
  await using source = await testDatabase({ schema: 'CREATE TABLE t (id int)' });
  const { user } = await source.createRole();
  await using target = await testDatabase();
  await source.query(`GRANT SELECT ON pg_authid TO ${user}; REVOKE EXECUTE ON FUNCTION pg_sleep FROM PUBLIC`);
  const rightsOf = ({ postData }: StructurePlan): string[] =>
    postData.flatMap(({ kind, sql }) => (kind === 'privileges on member' ? [sql] : []));
  const listed = await planOf(source, target, { level: 'table', objects: [table('public', 't')] });
  expect(rightsOf(listed)).toEqual([]);
  const whole = await planOf(source, target, { level: 'database', exclude: ['app.*'] });
  expect(rightsOf(whole)).toHaveLength(2);
  const facts = withRoles(await readTargetFacts(await target.connect()), [user], { privileges: false });
  const client = await source.connect({ search_path: '' });
  const bare = await inTransaction(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', () =>
    readStructure(client, { target: facts, roles: 'existing' }),
  );
  expect(rightsOf(bare)).toEqual(['REVOKE EXECUTE ON FUNCTION pg_sleep(double precision) FROM PUBLIC']);
});
