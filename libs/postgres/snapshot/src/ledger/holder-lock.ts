import { type Client } from '@sluice/postgres-client';

/** First key of the advisory locks that say "this session holds the snapshot of task …"; any constant of our own. */
const HOLDER_LOCK_CLASS = 1_397_516_627;

/**
 * One holder at a time makes snapshots for a task. The lock ends with the session, so a holder that dies lets go.
 * @returns false while another one has it.
 */
export async function tryLockHolder(target: Client, taskId: string): Promise<boolean> {
  const { rows } = await target.query<{ locked: boolean }>(
    'SELECT pg_catalog.pg_try_advisory_lock($1, pg_catalog.hashtext($2)) AS locked',
    [HOLDER_LOCK_CLASS, taskId],
  );
  return rows[0]?.locked ?? false;
}
