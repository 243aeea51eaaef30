import { formatLsn, type Lsn, parseLsn } from '@sluice/model';
import { type Client } from '@sluice/postgres-client';
import { type ExportedSnapshot } from '../exported-snapshot.js';
import { type LedgerError, notifyLedger } from './ledger-events.js';

/** `sluice.load`: where the load of a task stands. */
export interface LoadRecord {
  /** 0 until the first snapshot; each new snapshot counts one up. */
  readonly generation: number;
  /** `null` while there is none to copy under. */
  readonly snapshot: ExportedSnapshot | null;
  /** Of the newest snapshot; `null` when the task needs no changes afterwards. */
  readonly consistentLsn: Lsn | null;
  /** Of the first snapshot: where the slot begins. */
  readonly slotLsn: Lsn | null;
  readonly isStructureDone: boolean;
  /** Every table is on the target; no snapshot is needed any more. */
  readonly isCopied: boolean;
  /** Changes can follow. */
  readonly isLoaded: boolean;
  /** Nothing remains to be built, also not of what awaits the join. */
  readonly isFinished: boolean;
  readonly error: LedgerError | null;
}

interface LoadRow {
  readonly generation: number;
  readonly snapshotName: string | null;
  readonly visibleXids: string | null;
  readonly consistentLsn: string | null;
  readonly slotLsn: string | null;
  readonly isStructureDone: boolean;
  readonly isCopied: boolean;
  readonly isLoaded: boolean;
  readonly isFinished: boolean;
  readonly error: LedgerError | null;
}

const HAS_OPEN_STEPS = 'EXISTS (SELECT FROM sluice.build_step WHERE task_id = $1 AND done_at IS NULL)';

const lsnOrNull = (text: string | null): Lsn | null => (text === null ? null : parseLsn(text));

/** `null` when the ledger holds no such task, or there is no ledger. */
export async function readLoad(target: Client, taskId: string): Promise<LoadRecord | null> {
  const exists = await target.query<{ exists: boolean }>(
    `SELECT pg_catalog.to_regclass('sluice.load') IS NOT NULL AS exists`,
  );
  if (exists.rows[0]?.exists !== true) return null;
  const { rows } = await target.query<LoadRow>(
    `SELECT generation, snapshot_name AS "snapshotName", visible_xids AS "visibleXids", consistent_lsn::text AS "consistentLsn",
            slot_lsn::text AS "slotLsn", structure_done AS "isStructureDone",
            copied_at IS NOT NULL AS "isCopied", loaded_at IS NOT NULL AS "isLoaded",
            finished_at IS NOT NULL AS "isFinished", error
     FROM sluice.load WHERE task_id = $1`,
    [taskId],
  );
  const row = rows[0];
  if (!row) return null;
  const { snapshotName, visibleXids, consistentLsn, slotLsn, ...rest } = row;
  return {
    ...rest,
    snapshot: snapshotName !== null && visibleXids !== null ? { snapshotName, visibleXids } : null,
    consistentLsn: lsnOrNull(consistentLsn),
    slotLsn: lsnOrNull(slotLsn),
  };
}

export interface SnapshotRecord extends ExportedSnapshot {
  readonly generation: number;
  readonly consistentLsn: Lsn | null;
}

/** Makes a snapshot known. @returns false when the load went on without it: then it must be given up. */
export async function recordSnapshot(target: Client, taskId: string, snapshot: SnapshotRecord): Promise<boolean> {
  const { rowCount } = await target.query(
    `UPDATE sluice.load SET generation = $2, snapshot_name = $3, consistent_lsn = $4::pg_lsn,
            slot_lsn = coalesce(slot_lsn, $4::pg_lsn), visible_xids = $5, error = NULL
     WHERE task_id = $1 AND generation = $2 - 1 AND copied_at IS NULL`,
    [
      taskId,
      snapshot.generation,
      snapshot.snapshotName,
      snapshot.consistentLsn === null ? null : formatLsn(snapshot.consistentLsn),
      snapshot.visibleXids,
    ],
  );
  if (rowCount === 1) await notifyLedger(target, taskId);
  return rowCount === 1;
}

export async function recordLoadError(target: Client, taskId: string, error: LedgerError): Promise<void> {
  await target.query('UPDATE sluice.load SET error = $2 WHERE task_id = $1', [taskId, JSON.stringify(error)]);
  await notifyLedger(target, taskId);
}

/** No worker begins another chunk until a new snapshot is recorded. */
export async function forgetSnapshot(target: Client, taskId: string): Promise<void> {
  await target.query('UPDATE sluice.load SET snapshot_name = NULL, visible_xids = NULL WHERE task_id = $1', [taskId]);
  await notifyLedger(target, taskId);
}

/** Lets the holder go at once: a snapshot holds back vacuum on the source, and indexes can take hours. */
export async function markCopied(target: Client, taskId: string): Promise<void> {
  await target.query(
    `UPDATE sluice.load SET copied_at = now(), snapshot_name = NULL, visible_xids = NULL WHERE task_id = $1`,
    [taskId],
  );
  await notifyLedger(target, taskId);
}

/**
 * The rows are there, and what can be built without changes: these may follow. The checkpoint is in the same
 * transaction: apply must never find the one without the other. A checkpoint that is there already belongs to a writer
 * that went further. It begins where the structure was read: no table was copied as of an earlier moment, and DDL from
 * before is in the structure.
 */
export async function markLoaded(target: Client, taskId: string): Promise<void> {
  await target.query(
    `WITH loaded AS (
       UPDATE sluice.load SET loaded_at = coalesce(loaded_at, now()),
              finished_at = coalesce(finished_at, CASE WHEN NOT ${HAS_OPEN_STEPS} THEN now() END)
       WHERE task_id = $1 RETURNING task_id, slot_lsn, structure_lsn)
     INSERT INTO sluice.checkpoint (task_id, epoch, lsn)
     SELECT task_id, 0, coalesce(structure_lsn, slot_lsn) FROM loaded WHERE slot_lsn IS NOT NULL
     ON CONFLICT (task_id) DO NOTHING`,
    [taskId],
  );
}

/** The end of the load: also what awaited the join is built. */
export async function finishLoad(target: Client, taskId: string): Promise<void> {
  await target.query(
    `UPDATE sluice.load SET finished_at = coalesce(finished_at, now()) WHERE task_id = $1 AND NOT ${HAS_OPEN_STEPS}`,
    [taskId],
  );
  await notifyLedger(target, taskId);
}
