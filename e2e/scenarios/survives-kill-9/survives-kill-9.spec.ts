import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { expectSameRows, type FaultProxy, faultProxy, seededRandom, type TestDatabase, waitFor } from '@sluice/testing';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { bulk, MIXED } from '../../src/mixed-schema.js';
import { auditConfirmations, watchBank, watchOrder } from '../../src/properties.js';
import { startWriters } from '../../src/writers.js';

const SEED = Number(process.env['SLUICE_E2E_SEED'] ?? Date.now() % 100_000);
/** The load takes about ten seconds: each of its chunks waits for the network several times. */
const ROUND_TRIP_MS = 40;
const BULK = { tables: 4, rows: 12_000 };

const DURING_LOAD = ['full-load', 'snapshot-holder', 'full-load', 'task-management', 'nats-server'];
const DURING_INCREMENTAL = ['apply', 'capture', 'nats-server', 'task-management', 'apply', 'capture'];

let cluster: Cluster;
let source: TestDatabase;
let target: TestDatabase;
let proxy: FaultProxy;

beforeAll(async () => {
  cluster = await startCluster({ env: { SLUICE_FULL_LOAD_CHUNK_MB: '1', SLUICE_FULL_LOAD_COPY_WORKERS: '1' } });
  source = await cluster.sourceDatabase(MIXED + bulk(BULK.tables, BULK.rows));
  target = await cluster.targetDatabase();
  proxy = await faultProxy({ target: source.endpoint });
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

it(`ends equal when any service dies at any moment (SLUICE_E2E_SEED=${SEED})`, async () => {
  process.stderr.write(`survives-kill-9: SLUICE_E2E_SEED=${SEED}\n`);
  const random = seededRandom(SEED);
  await using writers = await startWriters(source, SEED);
  const throughProxy = { endpoint: { ...source.endpoint, host: proxy.host, port: proxy.port } };
  proxy.delay(ROUND_TRIP_MS);
  const taskId = await cluster.createAndStart({ source: throughProxy, target });
  kill('connection-test');
  await waitFor('the checks to begin', async () => (await cluster.api.getTask(taskId)).connectionTest !== null);
  kill('precheck');
  await using audit = await auditWhenLoading(taskId);

  let killedWhileLoading = 0;
  for (const service of shuffled(DURING_LOAD, random)) {
    await untilChunksDone(taskId, 1 + Math.floor(random() * 3));
    expect(await stateOf(taskId)).toBe('full_load');
    kill(service);
    killedWhileLoading += 1;
  }
  expect(killedWhileLoading).toBeGreaterThanOrEqual(4);
  await cluster.untilState(taskId, 'incremental');
  proxy.delay(0);
  await untilCaughtUp(source, target);
  await using bank = await watchBank({ source, target });
  await using order = await watchOrder({ source, target });

  const writtenBefore = writers.committed();
  for (const service of shuffled(DURING_INCREMENTAL, random)) {
    await writers.untilMore(1 + Math.floor(random() * 150));
    kill(service);
  }
  await writers.untilMore(100);
  expect(await writers.stop()).toBeGreaterThan(writtenBefore + 100);
  await untilCaughtUp(source, target);
  await expectSameRows(source, target);
  expect(await stateOf(taskId)).toBe('incremental');
  for (const watch of [audit, bank, order]) {
    expect(await watch.stop()).toEqual([]);
    expect(watch.samples()).toBeGreaterThan(20);
  }
  expect(cluster.deaths('apply') + cluster.deaths('capture')).toBeGreaterThanOrEqual(3);
});

function kill(service: string): void {
  if (service !== 'nats-server') {
    cluster.kill9(service);
    return;
  }
  restarting = restarting.then(async () => {
    await cluster.nats.kill9();
    await cluster.nats.restart();
  });
}
let restarting: Promise<void> = Promise.resolve();

async function stateOf(taskId: string): Promise<string> {
  return (await cluster.api.getTask(taskId)).state;
}

async function auditWhenLoading(taskId: string): ReturnType<typeof auditConfirmations> {
  await cluster.untilState(taskId, 'full_load');
  await waitFor('the bookkeeping to be made', async () => {
    const [row] = await target.query<{ made: boolean }>("SELECT to_regclass('sluice.load') IS NOT NULL AS made");
    return row?.made;
  });
  return auditConfirmations({ source, target }, taskId);
}

/** Resolves when so many more chunks are copied, by whom ever. */
async function untilChunksDone(taskId: string, more: number): Promise<void> {
  const read = async (): Promise<number> => {
    const [row] = await target.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM sluice.chunk WHERE task_id = $1 AND done_at IS NOT NULL',
      [taskId],
    );
    return row?.count ?? 0;
  };
  let before = await read();
  await waitFor(`${more} more chunks`, async () => {
    const now = await read();
    // A lost snapshot starts tables over.
    before = Math.min(before, now);
    return now >= before + more;
  });
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
