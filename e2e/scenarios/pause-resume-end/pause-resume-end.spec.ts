import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { helperObjectName } from '@sluice/contracts';
import { changeStreams, connectBus, desiredStates } from '@sluice/messaging';
import { createLogger } from '@sluice/telemetry';
import { expectSameRows, type TestDatabase, waitFor } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { helperObjects } from '../../src/helper-objects.js';
import { MIXED } from '../../src/mixed-schema.js';
import { startWriters } from '../../src/writers.js';

const PAUSE_DEADLINE_MS = 10_000;

let cluster: Cluster;
let source: TestDatabase;
let target: TestDatabase;
let taskId: string;

beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());
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
    await cluster.api.act(taskId, 'pause');
    await cluster.untilState(taskId, 'paused', PAUSE_DEADLINE_MS);
    const [slot] = await source.query('SELECT active FROM pg_replication_slots WHERE slot_name = $1', [
      helperObjectName(taskId),
    ]);
    expect(slot).toEqual({ active: false });
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
    await cluster.untilState(taskId, 'paused', PAUSE_DEADLINE_MS);
    await cluster.api.act(taskId, 'end');
    await cluster.untilState(taskId, 'ended');
    expect(await helperObjects(taskId, { source, target })).toEqual([]);
  });
});

describe('a task that is ended', () => {
  it('has applied exactly what was committed below the given LSN', async () => {
    await using writers = await startWriters(source, 2);
    await writers.untilMore(100);
    await writers.stop();
    const [end] = await source.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
    const tooLate = randomUUID();
    await source.query('INSERT INTO line.marks VALUES ($1)', [tooLate]);
    await cluster.api.act(taskId, 'end', { untilLsn: end?.lsn });
    await cluster.untilState(taskId, 'ended');
    expect(await target.query('SELECT FROM line.marks WHERE mark = $1', [tooLate])).toEqual([]);
    await source.query('DELETE FROM line.marks WHERE mark = $1', [tooLate]);
    await expectSameRows(source, target);
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
    expect(await cluster.metadata.query('SELECT FROM task_credentials WHERE task_id = $1', [taskId])).toEqual([]);
    await waitFor('the order to be gone', async () => (await desiredStates(bus).get(taskId)) === null);
  });
});

/** The newest row of those that are only appended. */
async function lastSeen(): Promise<number> {
  const [row] = await target.query<{ n: number }>('SELECT coalesce(max(n), 0)::int AS n FROM line.later');
  return row?.n ?? 0;
}
