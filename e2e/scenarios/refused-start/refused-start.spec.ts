import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { freePort } from '@sluice/embedded';
import { Secret } from '@sluice/kernel';
import { type Endpoint } from '@sluice/postgres-client';
import { testDatabase, type TestDatabase, testServer, waitFor } from '@sluice/testing';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { helperObjects } from '../../src/helper-objects.js';

const SCHEMA = 'CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100);';

let cluster: Cluster;
let source: TestDatabase;
let target: TestDatabase;

beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(async () => cluster[Symbol.asyncDispose]());
beforeEach(async () => {
  source = await cluster.sourceDatabase(SCHEMA);
  target = await cluster.targetDatabase();
});

it.each<{ why: string; code: string; endpoint: () => Promise<Endpoint> }>([
  {
    why: 'the password is wrong',
    code: 'SLUICE-1005',
    endpoint: () => Promise.resolve({ ...source.endpoint, password: new Secret('wrong') }),
  },
  {
    why: 'the host is unknown',
    code: 'SLUICE-1001',
    endpoint: () => Promise.resolve({ ...source.endpoint, host: 'no-such-host.invalid' }),
  },
  {
    why: 'nobody listens',
    code: 'SLUICE-1003',
    endpoint: async () => ({ ...source.endpoint, port: await freePort() }),
  },
  {
    why: 'the role may not replicate',
    code: 'SLUICE-1013',
    endpoint: () => source.createRole(),
  },
])('is refused before anything is changed when $why on the source', async ({ code, endpoint }) => {
  const taskId = await cluster.createAndStart({ source: { endpoint: await endpoint() }, target });
  const task = await untilRefused(taskId);
  expect(task.error).toMatchObject({ code, remedy: expect.any(String) });
  expect(task.connectionTest?.steps.find(({ passed }) => !passed)).toMatchObject({ side: 'source', error: { code } });
  await expectUntouched(taskId, source);
});

it.each<{ why: string; check: string; prepare: () => Promise<TestDatabase | Endpoint> }>([
  {
    why: 'wal_level is replica',
    check: 'source-wal-level',
    prepare: async () =>
      testDatabase({ server: await testServer({ settings: { wal_level: 'replica' } }), schema: SCHEMA }),
  },
  {
    why: 'the role does not own the tables',
    check: 'source-privileges',
    prepare: () => source.createRole('REPLICATION'),
  },
  {
    why: 'a table has no identity',
    check: 'source-replica-identity',
    prepare: async () => {
      await source.query('CREATE TABLE unidentified (n integer)');
      return source;
    },
  },
])('is refused before anything is changed when $why', async ({ check, prepare }) => {
  const prepared = await prepare();
  const taskId = await cluster.createAndStart({
    source: 'endpoint' in prepared ? prepared : { endpoint: prepared },
    target,
  });
  const task = await untilRefused(taskId);
  expect(task.error).toMatchObject({ code: 'SLUICE-2001' });
  const failed = task.precheck?.checks.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id);
  expect(failed).toEqual([check]);
  await expectUntouched(taskId, 'endpoint' in prepared ? prepared : source);
  if ('endpoint' in prepared && prepared !== source) await prepared[Symbol.asyncDispose]();
});

it('starts once the cause is gone', async () => {
  await source.query('CREATE TABLE unidentified (n integer)');
  const taskId = await cluster.createAndStart({ source, target });
  await untilRefused(taskId);
  await source.query('ALTER TABLE unidentified REPLICA IDENTITY FULL');
  await cluster.api.act(taskId, 'start');
  await waitFor('the refusal to be over', async () => (await cluster.api.getTask(taskId)).state !== 'start_failed');
  await cluster.untilState(taskId, 'incremental');
  await cluster.api.act(taskId, 'end');
  await cluster.untilState(taskId, 'ended');
});

function untilRefused(taskId: string): ReturnType<Cluster['untilState']> {
  return cluster.untilState(taskId, 'start_failed');
}

async function expectUntouched(taskId: string, usedSource: TestDatabase): Promise<void> {
  expect(await helperObjects(taskId, { source: usedSource, target })).toEqual([]);
  const tables = await target.query(
    `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)`,
  );
  expect(tables).toEqual([]);
}
