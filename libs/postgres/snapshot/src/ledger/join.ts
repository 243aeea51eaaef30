import { type Lsn, parseLsn } from '@sluice/model';
import { type Client } from '@sluice/postgres-client';
import { orNoRows } from './chunk-ledger.js';
import { type LedgerError } from './ledger-events.js';

/** What remains of a load while changes are applied already. */
export interface OpenJoin {
  /** Once everything below it is applied, all tables are of one moment; before it those of later snapshots are ahead. */
  readonly joinLsn: Lsn;
  /** Why the rest cannot be built. */
  readonly error: LedgerError | null;
}

/** True when every table was copied under the same snapshot. */
export async function isOneMoment(target: Client, taskId: string): Promise<boolean> {
  const { rows } = await target.query<{ isOne: boolean }>(
    `SELECT count(DISTINCT start_lsn) <= 1 AS "isOne" FROM sluice.table_load WHERE task_id = $1`,
    [taskId],
  );
  return rows[0]?.isOne ?? true;
}

/**
 * `null` when nothing remains, or the target holds no such load.
 * @param epoch errors of an older one are history.
 */
export async function readOpenJoin(target: Client, taskId: string, epoch: number): Promise<OpenJoin | null> {
  const { rows } = await orNoRows<{ joinLsn: string; error: LedgerError | null }>(target, {
    text: `SELECT coalesce((SELECT start_lsn FROM sluice.table_load WHERE task_id = $1 AND start_lsn IS NOT NULL ORDER BY start_lsn DESC LIMIT 1), '0/0')::text AS "joinLsn",
                  coalesce(
                    (SELECT error FROM sluice.build_step
                     WHERE task_id = $1 AND done_at IS NULL AND (error ->> 'epoch')::int = $2
                     ORDER BY position LIMIT 1),
                    CASE WHEN (l.error ->> 'epoch')::int = $2 THEN l.error END) AS error
           FROM sluice.load l WHERE task_id = $1 AND finished_at IS NULL`,
    values: [taskId, epoch],
  });
  const row = rows[0];
  return row ? { ...row, joinLsn: parseLsn(row.joinLsn) } : null;
}
