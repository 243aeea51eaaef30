import { connect, type Endpoint } from '@sluice/postgres-client';
import { waitFor } from '@sluice/testing';
import { randomUUID } from 'node:crypto';

const DEADLINE_MS = 90_000;

interface Side {
  readonly endpoint: Endpoint;
}

/** Resolves when the target has everything that was committed on the source before this was called. */
export async function untilCaughtUp(source: Side, target: Side): Promise<void> {
  const mark = randomUUID();
  // Sessions of its own: a test may have killed the server under those that it has.
  await using onSource = await connect(source.endpoint, { applicationName: 'catch-up' });
  await using onTarget = await connect(target.endpoint, { applicationName: 'catch-up' });
  await onSource.query('INSERT INTO line.marks VALUES ($1)', [mark]);
  // Transactions are applied in the order of their commits, so that this one stands for all before it.
  await waitFor(
    'the target to have caught up',
    async () => (await onTarget.query('SELECT FROM line.marks WHERE mark = $1', [mark])).rowCount === 1,
    { deadlineMs: DEADLINE_MS, intervalMs: 50 },
  );
}
