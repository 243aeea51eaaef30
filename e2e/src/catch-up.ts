import { type TestDatabase, waitFor } from '@sluice/testing';
import { randomUUID } from 'node:crypto';

const DEADLINE_MS = 90_000;

/** Resolves when the target has everything that was committed on the source before this was called. */
export async function untilCaughtUp(source: TestDatabase, target: TestDatabase): Promise<void> {
  const mark = randomUUID();
  await source.query('INSERT INTO line.marks VALUES ($1)', [mark]);
  // Transactions are applied in the order of their commits, so that this one stands for all before it.
  await waitFor(
    'the target to have caught up',
    async () => (await target.query('SELECT FROM line.marks WHERE mark = $1', [mark])).length === 1,
    { deadlineMs: DEADLINE_MS, intervalMs: 50 },
  );
}
