import { expect, it } from '@jest/globals';
import { parseLsn, ZERO_LSN } from '@sluice/model';
import { dedicatedServer, testDatabase, type TestDatabase, waitFor } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { ensureCheckpointTable } from './checkpoint.js';
import { TargetSession } from './target-session.js';

/** Stops the process that flushes what commits did not wait for. @returns what lets it go on. */
async function freezeWalWriter(target: TestDatabase): Promise<Disposable> {
  const [row] = await target.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'",
  );
  if (!row) throw new Error('the server has no WAL writer');
  process.kill(row.pid, 'SIGSTOP');
  return { [Symbol.dispose]: () => void process.kill(row.pid, 'SIGCONT') };
}

it('is reported durable only once the target has it on its disk (I5)', async () => {
  await using server = await dedicatedServer();
  await using target = await testDatabase({ server });
  const taskId = randomUUID();
  await ensureCheckpointTable(await target.connect());
  await target.query('INSERT INTO sluice.checkpoint VALUES ($1, 0, $2)', [taskId, '0/0']);
  const session = await TargetSession.open(target.endpoint, { taskId });
  const appliedLsn = parseLsn('0/10');
  {
    using _frozen = await freezeWalWriter(target);
    await session.advance(appliedLsn);
    expect(session.appliedLsn).toBe(appliedLsn);
    expect(await session.refreshDurable()).toBe(ZERO_LSN);
  }
  await waitFor('it to be on disk', async () => (await session.refreshDurable()) === appliedLsn);
  await session.close();
});
