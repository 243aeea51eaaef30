import { type Client, connect, type Endpoint } from '@sluice/postgres-client';
import { waitFor } from '@sluice/testing';
import { randomUUID } from 'node:crypto';

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
  const isThere = async (): Promise<boolean> =>
    (await onTarget.query('SELECT FROM line.marks WHERE mark = $1', [mark])).rowCount === 1;
  try {
    await waitFor('the target to have caught up', isThere, { intervalMs: 50 });
  } catch (error) {
    throw new Error(`${String(error)}\n${await describePositions(onSource, onTarget)}`, { cause: error });
  }
}

/** Where everybody stands: a slot beyond the checkpoint has lost changes, one that is not active has no reader. */
async function describePositions(onSource: Client, onTarget: Client): Promise<string> {
  const slots = await onSource.query<{ line: string }>(
    `SELECT format('slot %s confirmed %s, active %s, WAL ends at %s',
                   slot_name, confirmed_flush_lsn, active, pg_current_wal_lsn()) AS line
       FROM pg_replication_slots WHERE database = current_database()`,
  );
  const checkpoints = await onTarget.query<{ line: string }>(
    "SELECT format('checkpoint %s of epoch %s', lsn, epoch) AS line FROM sluice.checkpoint",
  );
  return [...slots.rows, ...checkpoints.rows].map(({ line }) => line).join('\n');
}
