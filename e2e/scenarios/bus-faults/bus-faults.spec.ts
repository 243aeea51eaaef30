import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TaskId, taskChanges } from '@sluice/contracts';
import { expectSameRows, faultProxy, type TestDatabase, waitFor } from '@sluice/testing';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { newestBatch, tapBus } from '../../src/bus-tap.js';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { type RunningTask, underTraffic } from '../../src/fault-scenario.js';
import { bulk, MIXED } from '../../src/mixed-schema.js';
import { startWriters } from '../../src/writers.js';

const FAULTS = `
CREATE SCHEMA faults;
CREATE TABLE faults.large (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, filler text);
`;
const MEBIBYTE = 1024 * 1024;
const STREAM_BYTES = 8 * MEBIBYTE;
/** What the services may hold while 32 MiB of changes find no room: the bound of spec and documentation. */
const RSS_MAX_BYTES = 256 * MEBIBYTE;
/** The load takes some seconds: each of its chunks waits for the network several times. */
const ROUND_TRIP_MS = 40;

let cluster: Cluster;
let source: TestDatabase;
let target: TestDatabase;
let taskId: string;
let seed = 0;

const traffic = (): Promise<RunningTask> => underTraffic({ cluster, taskId, source, target, seed: (seed += 1) });

beforeAll(async () => {
  cluster = await startCluster({
    hasBusProxy: true,
    env: {
      SLUICE_CHANGES_MAX_BYTES: String(STREAM_BYTES),
      SLUICE_FULL_LOAD_CHUNK_MB: '1',
      SLUICE_FULL_LOAD_COPY_WORKERS: '1',
    },
  });
  source = await cluster.sourceDatabase(MIXED + FAULTS);
  target = await cluster.targetDatabase();
  taskId = await cluster.createAndStart({ source, target });
  await cluster.untilState(taskId, 'incremental');
  await untilCaughtUp(source, target);
});
afterAll(async () => cluster[Symbol.asyncDispose]());

describe('a task goes on by itself', () => {
  it('after its change stream was full, while capture holds back instead of losing or gathering', async () => {
    await using task = await traffic();
    await using tap = await tapBus(cluster.nats);
    const holder = await target.connect();
    // Readers go on; apply waits at its first change.
    await holder.query('BEGIN; LOCK TABLE line.earlier, faults.large IN EXCLUSIVE MODE');
    for (let part = 0; part < 32; part += 1) await insertMebibyte();
    await waitFor('the stream to be full', async () => {
      const { sizeBytes } = await tap.changes(TaskId.parse(taskId));
      return sizeBytes > STREAM_BYTES - MEBIBYTE;
    });
    await task.writers.untilMore(100);
    for (const service of ['capture', 'apply']) expect(residentBytes(service)).toBeLessThan(RSS_MAX_BYTES);
    expect((await tap.changes(TaskId.parse(taskId))).sizeBytes).toBeLessThanOrEqual(STREAM_BYTES);
    await holder.query('COMMIT');
    await task.expectEqual();
  });

  it('after the connections of all services to the bus went silent', async () => {
    await using task = await traffic();
    const noticedBefore = noticed('capture') + noticed('apply');
    cluster.busProxy.halfOpen();
    await waitFor('both to notice', () => noticed('capture') + noticed('apply') >= noticedBefore + 2);
    await cluster.busProxy.restore();
    await task.expectEqual();
  });

  it('when every message is late, and the connections are cut in between', async () => {
    await using task = await traffic();
    cluster.busProxy.delay(150);
    for (let cut = 0; cut < 3; cut += 1) {
      await task.writers.untilMore(60);
      cluster.busProxy.cut();
    }
    cluster.busProxy.delay(0);
    await task.expectEqual();
  });

  it('when batches come twice, late and out of order', async () => {
    await using task = await traffic();
    await using tap = await tapBus(cluster.nats);
    let repeated = 0;
    while (repeated < 12) {
      const batches = [];
      while (batches.length < 3) {
        const batch = await newestBatch(tap, TaskId.parse(taskId));
        if (batch && batch.seq !== batches.at(-1)?.seq) batches.push(batch);
      }
      for (const batch of batches.reverse()) await tap.repeat(batch);
      repeated += batches.length;
      await task.writers.untilMore(10);
    }
    await task.expectEqual();
    expect(cluster.logOf('capture')).toContain('another publisher wrote');
  });

  it('after the disk of the bus was full', async () => {
    await using task = await traffic();
    const restoreSpace = fillDiskBehindStream();
    for (let part = 0; part < 8; part += 1) await insertMebibyte();
    await waitFor('the bus to find its disk full', () =>
      /no space left/i.test(readFileSync(path.join(cluster.nats.storeDir, 'nats.log'), 'utf8')),
    );
    await task.writers.untilMore(50);
    restoreSpace();
    // It says itself that it wants to be restarted then.
    await cluster.nats.restart();
    await task.expectEqual();
  });
});

it('loads everything when the bus is wiped during the load', async () => {
  const loadedSource = await cluster.sourceDatabase(MIXED + bulk(2, 12_000));
  const loadedTarget = await cluster.targetDatabase();
  await using proxy = await faultProxy({ target: loadedSource.endpoint });
  await using writers = await startWriters(loadedSource, 50);
  proxy.delay(ROUND_TRIP_MS);
  const loadId = await cluster.createAndStart({
    source: { endpoint: { ...loadedSource.endpoint, host: proxy.host, port: proxy.port } },
    target: loadedTarget,
  });
  await waitFor('the first chunk', async () => (await chunksDone(loadedTarget)) >= 1);
  expect((await cluster.api.getTask(loadId)).state).toBe('full_load');
  await cluster.nats.kill9();
  await cluster.nats.restart({ wipe: true });
  await cluster.untilState(loadId, 'incremental');
  proxy.delay(0);
  await writers.untilMore(50);
  await writers.stop();
  await untilCaughtUp(loadedSource, loadedTarget);
  await expectSameRows(loadedSource, loadedTarget);
  // The other task lost its stream, too, and nothing else.
  await using task = await traffic();
  await task.expectEqual();
});

async function insertMebibyte(): Promise<void> {
  await source.query(
    'INSERT INTO faults.large (filler) SELECT repeat(md5(n::text), 32) FROM generate_series(1, 1024) AS n',
  );
}

/** `ps` says it on every system. */
function residentBytes(service: string): number {
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(cluster.pidOf(service))], { encoding: 'utf8' });
  const kibibytes = Number(stdout.trim());
  expect(kibibytes).toBeGreaterThan(0);
  return kibibytes * 1024;
}

function noticed(service: string): number {
  return cluster.logOf(service).split('message bus disconnected').length - 1;
}

async function chunksDone(loadedTarget: TestDatabase): Promise<number> {
  const [made] = await loadedTarget.query<{ made: boolean }>("SELECT to_regclass('sluice.chunk') IS NOT NULL AS made");
  if (!made?.made) return 0;
  const [row] = await loadedTarget.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM sluice.chunk WHERE done_at IS NOT NULL',
  );
  return row?.count ?? 0;
}

/** The stream's next files are a device that is always full, as the kernel says it of a disk. @returns what gives room again */
function fillDiskBehindStream(): () => void {
  const stream = taskChanges.streamName({ taskId: TaskId.parse(taskId) });
  const folder = path.join(cluster.nats.storeDir, 'jetstream', 'jetstream', '$G', 'streams', stream, 'msgs');
  const blocks = readdirSync(folder).filter((file) => file.endsWith('.blk'));
  const newest = Math.max(...blocks.map((file) => Number.parseInt(file, 10)));
  const full = Array.from({ length: 20 }, (_, index) => path.join(folder, `${newest + 1 + index}.blk`));
  for (const file of full) symlinkSync('/dev/full', file);
  return () => full.forEach((file) => rmSync(file, { force: true }));
}
