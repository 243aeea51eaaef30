import { type Client } from '@sluice/postgres-client';

/** First keys of the advisory locks that say "this session … of task …"; any constants of our own. */
const HOLDS_SNAPSHOT = 1_397_516_627;
const FINISHES_LOAD = 1_397_516_628;

/**
 * One holder at a time makes snapshots for a task. The lock ends with the session, so a holder that dies lets go.
 * @returns false while another one has it.
 */
export function tryLockHolder(target: Client, taskId: string): Promise<boolean> {
  return tryLock(target, HOLDS_SNAPSHOT, taskId);
}

/** The same for who has the rest of a load built. */
export function tryLockFinisher(target: Client, taskId: string): Promise<boolean> {
  return tryLock(target, FINISHES_LOAD, taskId);
}

/** Looks without taking the lock, which could turn somebody away who tries at that moment. */
export async function isFinisherAtWork(target: Client, taskId: string): Promise<boolean> {
  const { rowCount } = await target.query(
    `SELECT FROM pg_catalog.pg_locks
     WHERE locktype = 'advisory' AND granted AND classid = $1 AND objid = pg_catalog.hashtext($2)::oid
       AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())`,
    [FINISHES_LOAD, taskId],
  );
  return rowCount !== 0;
}

async function tryLock(target: Client, key: number, taskId: string): Promise<boolean> {
  const { rows } = await target.query<{ locked: boolean }>(
    'SELECT pg_catalog.pg_try_advisory_lock($1, pg_catalog.hashtext($2)) AS locked',
    [key, taskId],
  );
  return rows[0]?.locked ?? false;
}
