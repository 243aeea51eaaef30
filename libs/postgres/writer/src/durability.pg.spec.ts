import { expect, it } from '@jest/globals';
import { parseLsn } from '@sluice/model';
import { dedicatedServer, testDatabase, type TestDatabase } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { ensureCheckpointTable } from './checkpoint.js';
import { TargetSession } from './target-session.js';

it('reports as durable, from its opening on, what the session before it committed and had not on disk', async () => {
  await using server = await dedicatedServer({ settings: { autovacuum: 'off' } });
  await using target = await testDatabase({ server });
  await ensureCheckpointTable(await target.connect());
  const taskId = randomUUID();
  await target.query('INSERT INTO sluice.checkpoint VALUES ($1, 0, $2)', [taskId, '0/10']);
  using _pause = await pauseWalWriter(target);

  const before = await TargetSession.open(target.endpoint, { taskId });
  await before.advance(parseLsn('0/20'));
  const committed = await positions(target);
  expect(await before.refreshDurable()).toBe(parseLsn('0/10'));
  expect(committed.flushedLsn).toBeLessThan(committed.insertedLsn);

  const after = await TargetSession.open(target.endpoint, { taskId });
  expect(after.durableLsn).toBe(parseLsn('0/20'));
  expect((await positions(target)).flushedLsn).toBeGreaterThanOrEqual(committed.insertedLsn);
  await Promise.all([before.close(), after.close()]);
});

/** It is the only one that writes commits to disk that nobody waits for. */
async function pauseWalWriter(target: TestDatabase): Promise<Disposable> {
  const [writer] = await target.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'`,
  );
  const pid = writer?.pid ?? 0;
  process.kill(pid, 'SIGSTOP');
  return { [Symbol.dispose]: () => void process.kill(pid, 'SIGCONT') };
}

async function positions(target: TestDatabase): Promise<{ flushedLsn: bigint; insertedLsn: bigint }> {
  const [row] = await target.query<{ flushed: string; inserted: string }>(
    'SELECT pg_current_wal_flush_lsn()::text AS flushed, pg_current_wal_insert_lsn()::text AS inserted',
  );
  return { flushedLsn: parseLsn(row?.flushed ?? '0/0'), insertedLsn: parseLsn(row?.inserted ?? '0/0') };
}
