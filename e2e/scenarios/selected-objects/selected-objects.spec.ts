import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Client } from '@sluice/postgres-client';
import { findDifferences, killPointEnvironment, type TestDatabase, waitFor } from '@sluice/testing';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';

const SCHEMA = `
  CREATE SCHEMA line; CREATE TABLE line.marks (mark uuid PRIMARY KEY);
  CREATE SCHEMA shop; CREATE SCHEMA log;
  CREATE TABLE shop.customers (id serial PRIMARY KEY, name text);
  CREATE TABLE shop.orders (id serial PRIMARY KEY, customer int REFERENCES shop.customers);
  CREATE TABLE shop.parts (id int, k int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
  CREATE TABLE shop.parts_1 PARTITION OF shop.parts FOR VALUES IN (1);
  CREATE TABLE shop."Odd ""name""" (id int PRIMARY KEY);
  CREATE TABLE shop.tmp_1 (id int PRIMARY KEY);
  CREATE TABLE log.entries (id serial PRIMARY KEY, order_id int REFERENCES shop.orders ON DELETE CASCADE);
  INSERT INTO shop.customers (name) SELECT 'c' || g FROM generate_series(1, 50) g;
  INSERT INTO shop.orders (customer) SELECT g FROM generate_series(1, 50) g;
  INSERT INTO shop.parts SELECT g, 1 FROM generate_series(1, 20) g;
  INSERT INTO shop."Odd ""name""" VALUES (1);
  INSERT INTO shop.tmp_1 VALUES (1);
  INSERT INTO log.entries (order_id) SELECT g FROM generate_series(1, 50) g;`;
/** The target has tables of its own that are called like those that are not selected. */
const OWN_TABLES = `CREATE SCHEMA log; CREATE TABLE log.entries (mine text); INSERT INTO log.entries VALUES ('mine');
  CREATE SEQUENCE log.entries_id_seq; SELECT setval('log.entries_id_seq', 7)`;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(async () => cluster[Symbol.asyncDispose]());

interface Pair {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly taskId: string;
  readonly session: Client;
}

async function start(objects: object): Promise<Pair> {
  const source = await cluster.sourceDatabase(SCHEMA);
  const target = await cluster.targetDatabase();
  await target.query(OWN_TABLES);
  const more = { objects, incremental: { ddl: { enabled: true } } } as Parameters<Cluster['create']>[1];
  const taskId = await cluster.createAndStart({ source, target }, more);
  await cluster.untilState(taskId, 'incremental');
  return { source, target, taskId, session: await source.connect() };
}

async function expectOnly({ source, target, taskId }: Pair, tables: readonly string[]): Promise<void> {
  await untilCaughtUp(source, target);
  await waitFor(
    'new tables to have joined',
    async () => (await target.query('SELECT FROM sluice.adoption')).length === 0,
  );
  await untilCaughtUp(source, target);
  await cluster.untilState(taskId, 'incremental');
  // Rows of partitions are compared through their root.
  const compared = [...new Set(tables.map((name) => name.replace(/^shop\.parts_\d$/, 'shop.parts')))];
  expect(await findDifferences(source, target, { tables: compared })).toEqual([]);
  const found = await target.query<{ name: string }>(`
    SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname IN ('shop', 'log', 'line', 'public')`);
  expect(found.map(({ name }) => name).toSorted()).toEqual([...tables, 'log.entries'].toSorted());
  expect(await target.query('SELECT * FROM log.entries')).toEqual([{ mine: 'mine' }]);
  expect(await target.query(`SELECT last_value::text AS at FROM log.entries_id_seq`)).toEqual([{ at: '7' }]);
}

describe('of chosen objects', () => {
  it('at database level, rows, DDL and new tables of these arrive and no others', async () => {
    const pair = await start({ level: 'database', exclude: ['log.*', 'shop.tmp_*'] });
    const { session } = pair;
    await session.query(`
      INSERT INTO shop.orders (customer) VALUES (1); INSERT INTO shop.tmp_1 VALUES (2); INSERT INTO log.entries (order_id) VALUES (1);
      DELETE FROM shop.orders WHERE id = 2`);
    await session.query('ALTER TABLE log.entries ADD COLUMN note text; CREATE INDEX ON log.entries (note)');
    await session.query('ALTER TABLE shop.orders ADD COLUMN note text; CREATE INDEX noted ON shop.orders (note)');
    await session.query('CREATE TABLE shop.added (id serial PRIMARY KEY); INSERT INTO shop.added DEFAULT VALUES');
    await session.query('CREATE TABLE shop.tmp_2 AS SELECT 1 AS id; CREATE TABLE log.more (id int)');
    await session.query(
      `CREATE TABLE shop.parts_2 PARTITION OF shop.parts FOR VALUES IN (2); INSERT INTO shop.parts VALUES (1, 2)`,
    );
    await session.query('TRUNCATE shop.orders CASCADE');
    await session.query('INSERT INTO shop.orders (customer, note) VALUES (3, $1)', ['later']);
    await session.query('ALTER TABLE shop.added RENAME TO tmp_followed');
    await session.query('INSERT INTO shop.tmp_followed DEFAULT VALUES');
    await session.query('ALTER TABLE shop.tmp_followed ADD COLUMN n int DEFAULT 5');
    await session.query('DROP TABLE shop.tmp_2, shop."Odd ""name"""');
    await session.query('DROP TABLE log.entries CASCADE');
    await expectOnly(pair, [
      'shop.customers',
      'shop.orders',
      'shop.parts_1',
      'shop.parts_2',
      'shop.tmp_followed',
      'line.marks',
    ]);
    expect((await cluster.api.getTask(pair.taskId)).progress.apply).toMatchObject({ ddlOutside: 5 });
    await session.query(`SELECT nextval('shop.customers_id_seq')`);
    await cluster.api.act(pair.taskId, 'end');
    await cluster.untilState(pair.taskId, 'ended');
    const at = `SELECT last_value::text AS at FROM shop.customers_id_seq`;
    expect(await pair.target.query(at)).toEqual(await pair.source.query(at));
    expect(await pair.target.query(`SELECT last_value::text AS at FROM log.entries_id_seq`)).toEqual([{ at: '7' }]);
  }, 120_000);

  it('at table level, new tables stay outside, and partitions of listed ones join; also when services die', async () => {
    const deaths = cluster.deaths('full-load');
    await cluster.restart('full-load', killPointEnvironment('full-load-after-structure', 1));
    const pair = await start({
      level: 'table',
      objects: [
        { kind: 'table', schema: 'line', name: 'marks' },
        { kind: 'table', schema: 'shop', name: 'parts' },
        { kind: 'table', schema: 'shop', name: 'Odd "name"' },
      ],
      include: ['shop.cust*'],
    });
    expect(cluster.deaths('full-load')).toBeGreaterThan(deaths);
    const { session } = pair;
    await session.query('CREATE TABLE shop.custom (id int PRIMARY KEY); INSERT INTO shop.custom VALUES (1)');
    await session.query('ALTER TABLE shop.custom ADD COLUMN n int');
    await session.query(
      `CREATE TABLE shop.parts_2 PARTITION OF shop.parts FOR VALUES IN (2); INSERT INTO shop.parts VALUES (1, 2)`,
    );
    await session.query(`UPDATE shop.parts SET k = 2 WHERE id = 7; UPDATE shop.customers SET name = 'x' WHERE id = 1`);
    await session.query('DROP TABLE shop.parts_1; DROP TABLE shop.custom');
    cluster.kill9('apply');
    cluster.kill9('capture');
    await session.query('INSERT INTO shop.parts VALUES (2, 2); INSERT INTO shop.tmp_1 VALUES (5)');
    await expectOnly(pair, ['line.marks', 'shop.parts_2', 'shop."Odd ""name"""', 'shop.customers']);
  }, 120_000);
});

describe('before a task starts', () => {
  const call = async (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${cluster.apiUrl}/api/v1${path}`, {
      ...init,
      headers: { authorization: `Bearer ${cluster.adminKey}`, 'content-type': 'application/json', ...init.headers },
    });
  const json = async (path: string, init?: RequestInit): Promise<Record<string, unknown>> =>
    Object.fromEntries(Object.entries((await (await call(path, init)).json()) as object));

  it('its source is browsed and searched, a selection is closed as proposed, exported, imported, and checked', async () => {
    const source = await cluster.sourceDatabase(SCHEMA);
    const target = await cluster.targetDatabase();
    const objects = { level: 'table', objects: [{ kind: 'table', schema: 'log', name: 'entries' }] };
    const taskId = await cluster.create({ source, target }, { objects } as Parameters<Cluster['create']>[1]);
    const path = `/tasks/${taskId}`;
    expect((await json(`${path}/catalog`))['items']).toMatchObject([
      { schema: 'line' },
      { schema: 'log' },
      { schema: 'shop' },
    ]);
    const first = await json(`${path}/catalog/objects?limit=2&search=SHOP.O`);
    expect(first['items']).toMatchObject([{ name: 'Odd "name"' }, { name: 'orders' }]);
    const second = await json(`${path}/catalog/objects?limit=2&search=SHOP.O&cursor=${String(first['nextCursor'])}`);
    expect(second).toMatchObject({ items: [{ kind: 'sequence', name: 'orders_id_seq' }], nextCursor: null });
    expect((await call(`${path}/catalog?cursor=%22`)).status).toBe(400);

    await cluster.api.act(taskId, 'start');
    await cluster.untilFailed(taskId, 'start_failed', 'SLUICE-2001');
    const checks = (await cluster.api.getTask(taskId)).precheck?.checks.filter(({ outcome }) => outcome === 'failed');
    expect(checks).toMatchObject([
      { id: 'selection-closed', fix: expect.stringContaining('{"kind":"table","schema":"shop","name":"orders"}') },
    ]);
    const closure = await json(`${path}/catalog/closure`, { method: 'POST' });
    expect(closure).toMatchObject({ isClosed: false, missing: [{ name: 'orders' }, { name: 'customers' }] });
    const { proposal } = closure as { proposal: { objects: object[] } };
    const closed = { ...objects, objects: [...objects.objects, ...proposal.objects] };
    expect(await json(`${path}/objects`, { method: 'PUT', body: JSON.stringify(closed) })).toEqual(closed);

    const xlsx = await call(`${path}/objects/export?format=xlsx`);
    const file = new Uint8Array(await xlsx.arrayBuffer());
    const headers = { 'content-type': String(xlsx.headers.get('content-type')) };
    const wrong = await call(`${path}/objects/import`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body: 'log.entries\nshop',
    });
    expect([wrong.status, await wrong.json()]).toMatchObject([400, { errors: [{ path: 'line 2' }] }]);
    expect(await json(`${path}/objects/import`, { method: 'POST', headers, body: file })).toEqual(closed);
    expect(await (await call(`${path}/objects/export`)).text()).toBe(
      'source,target,kind\r\nlog.entries,,\r\nshop.orders,,\r\nshop.customers,,\r\n',
    );
    await cluster.api.act(taskId, 'start');
    await cluster.untilState(taskId, 'incremental');
    expect((await call(`${path}/objects`, { method: 'PUT', body: JSON.stringify(closed) })).status).toBe(409);
    expect(await findDifferences(source, target, { tables: ['log.entries', 'shop.orders', 'shop.customers'] })).toEqual(
      [],
    );
  }, 120_000);
});
