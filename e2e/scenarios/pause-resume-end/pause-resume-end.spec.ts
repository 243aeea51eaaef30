import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { helperObjectName } from '@sluice/contracts';
import { changeStreams, connectBus, desiredStates } from '@sluice/messaging';
import { formatLsn, type Lsn, lsnFromBigInt, parseLsn } from '@sluice/model';
import { createLogger } from '@sluice/telemetry';
import { expectSameRows, type TestDatabase, waitFor } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { helperObjects } from '../../src/helper-objects.js';
import { MIXED } from '../../src/mixed-schema.js';
import { startWriters } from '../../src/writers.js';

/** Promised. */
const PAUSE_MS_MAX = 10_000;
/** Some dozens of small transactions. */
const AHEAD_BYTES = 20_000n;

let cluster: Cluster;
let source: TestDatabase;
let target: TestDatabase;
let taskId: string;

beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(async () => cluster[Symbol.asyncDispose]());
beforeEach(async () => {
  source = await cluster.sourceDatabase(MIXED);
  target = await cluster.targetDatabase();
  taskId = await cluster.createAndStart({ source, target });
  await cluster.untilState(taskId, 'incremental');
});

describe('a paused task', () => {
  it('stops within ten seconds, takes nothing over meanwhile, and has everything once after it goes on', async () => {
    await using writers = await startWriters(source, 1);
    await writers.untilMore(50);
    await waitFor('rows to be followed', async () => (await lastSeen()) > 0);
    const orderedAt = performance.now();
    await cluster.api.act(taskId, 'pause');
    await cluster.untilState(taskId, 'paused');
    await waitFor('capture and apply to have stopped', hasStopped);
    expect(performance.now() - orderedAt).toBeLessThan(PAUSE_MS_MAX);
    const atPause = await lastSeen();
    await writers.untilMore(200);
    expect(await lastSeen()).toBe(atPause);
    await cluster.api.act(taskId, 'resume');
    await cluster.untilState(taskId, 'incremental');
    await writers.untilMore(50);
    await writers.stop();
    await untilCaughtUp(source, target);
    expect(await lastSeen()).toBeGreaterThan(atPause);
    await expectSameRows(source, target);
  });

  it('can be ended without going on, and leaves nothing', async () => {
    await cluster.api.act(taskId, 'pause');
    await cluster.untilState(taskId, 'paused');
    await cluster.api.act(taskId, 'end');
    await cluster.untilState(taskId, 'ended');
    expect(await helperObjects(taskId, { source, target })).toEqual([]);
  });
});

describe('a task that is ended', () => {
  it('has applied exactly what was committed below an LSN that is still to come', async () => {
    await using writers = await startWriters(source, 2);
    await writers.untilMore(100);
    await writers.stop();
    const untilLsn = lsnFromBigInt((await insertPosition()) + AHEAD_BYTES);
    await cluster.api.act(taskId, 'end', { untilLsn: formatLsn(untilLsn) });
    const isBelow = new Map<string, boolean>();
    for (let position = await insertPosition(); position < untilLsn + AHEAD_BYTES;) {
      const mark = randomUUID();
      const beforeLsn = position;
      await source.query('INSERT INTO line.marks VALUES ($1)', [mark]);
      position = await insertPosition();
      // The commit lies somewhere in between: of the one that straddles the end nothing is known from here.
      if (position <= untilLsn) isBelow.set(mark, true);
      if (beforeLsn >= untilLsn) isBelow.set(mark, false);
    }
    await cluster.untilState(taskId, 'ended');
    const rows = await target.query<{ mark: string }>('SELECT mark FROM line.marks');
    const applied = new Set(rows.map(({ mark }) => mark));
    const wrong = [...isBelow].filter(([mark, isExpected]) => applied.has(mark) !== isExpected);
    expect(wrong).toEqual([]);
    expect(new Set(isBelow.values())).toEqual(new Set([true, false]));
  });

  it('leaves nothing on either server or the bus, and no credentials once it is deleted', async () => {
    await cluster.api.act(taskId, 'end');
    await cluster.untilState(taskId, 'ended');
    expect(await helperObjects(taskId, { source, target })).toEqual([]);
    await using bus = await connectBus({
      servers: cluster.nats.url,
      name: 'e2e',
      log: createLogger({ service: 'e2e', level: 'silent' }),
    });
    await waitFor('the change stream to be gone', async () => (await changeStreams(bus).info(taskId)) === null);
    const { status } = await fetch(`${cluster.apiUrl}/api/v1/tasks/${taskId}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${cluster.adminKey}` },
    });
    expect(status).toBe(204);
    expect(
      await cluster.metadata.query('SELECT FROM sluice_control.task_credentials WHERE task_id = $1', [taskId]),
    ).toEqual([]);
    await waitFor('the order to be gone', async () => (await desiredStates(bus).get(taskId)) === null);
  });
});

async function insertPosition(): Promise<Lsn> {
  const [row] = await source.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  return parseLsn(row?.lsn ?? '0/0');
}

/** Nobody reads the slot, and the slot is still there; nobody of ours writes to the target. */
async function hasStopped(): Promise<boolean> {
  const slots = await source.query<{ active: boolean }>(
    'SELECT active FROM pg_replication_slots WHERE slot_name = $1',
    [helperObjectName(taskId)],
  );
  const writers = await target.query('SELECT FROM pg_stat_activity WHERE application_name = $1', [
    `sluice apply ${taskId}`,
  ]);
  return slots[0]?.active === false && writers.length === 0;
}

/** The newest row of those that are only appended. */
async function lastSeen(): Promise<number> {
  const [row] = await target.query<{ n: number }>('SELECT coalesce(max(n), 0)::int AS n FROM line.later');
  return row?.n ?? 0;
}
