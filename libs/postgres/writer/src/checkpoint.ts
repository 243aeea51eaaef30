import { SluiceError } from '@sluice/contracts';
import {
  formatLsn,
  formatSourceIdentity,
  type Lsn,
  parseLsn,
  parseSourceIdentity,
  type SourceIdentity,
} from '@sluice/model';
import { type PipelinedStatement } from './target-pipeline.js';
import { type ClientBase } from 'pg';
import { createConflictTable } from './conflict-journal.js';
import { createAdoptionTables } from './pending-tables.js';
import { createExceptionTable } from './task-objects.js';

/** What the target has applied, and which writer may apply more. */
export interface Checkpoint {
  /** The writer's number: a commit counts only while it is the newest (I3). */
  readonly epoch: bigint;
  /** Every transaction that ends at or below it is applied, none that commits at or above it is (I2). */
  readonly appliedLsn: Lsn;
  /** The server that the changes up to there are from; null before the first of them came. */
  readonly source: SourceIdentity | null;
}

/** Serializes the creation of bookkeeping by several workers; any constant that nobody else uses. */
const BOOKKEEPING_LOCK = 7_238_901_553;

/** Creates `sluice.checkpoint`, the tables for what is to be copied, the journal of conflicts, and the exceptions of selections, where they are missing. Half-empty pages keep the row's updates on its page (HOT). */
export async function ensureCheckpointTable(target: ClientBase): Promise<void> {
  await target.query('BEGIN');
  await target.query('SELECT pg_advisory_xact_lock($1)', [BOOKKEEPING_LOCK]);
  await target.query('CREATE SCHEMA IF NOT EXISTS sluice');
  await target.query(`
    CREATE TABLE IF NOT EXISTS sluice.checkpoint (
      task_id uuid PRIMARY KEY, epoch bigint NOT NULL, lsn pg_lsn NOT NULL, commit_time timestamptz,
      source text
    ) WITH (fillfactor = 50)`);
  const { rowCount } = await target.query(
    `SELECT FROM pg_catalog.pg_attribute WHERE attrelid = 'sluice.checkpoint'::regclass AND attname = 'source'`,
  );
  // Of an earlier version. Asked first, as the change would wait for every writer even when there is nothing to change.
  if (rowCount === 0) await target.query('ALTER TABLE sluice.checkpoint ADD COLUMN source text');
  await createAdoptionTables(target);
  await createConflictTable(target);
  await createExceptionTable(target);
  await target.query('COMMIT');
}

/**
 * Makes the caller the task's only writer: every earlier one fails at its next commit.
 * @throws SluiceError 5005 when the task has no checkpoint, which means that its load did not finish on this database.
 */
export async function claimCheckpoint(target: ClientBase, taskId: string): Promise<Checkpoint> {
  const { rows } = await target.query<{ epoch: string; lsn: string; source: string | null }>(
    'UPDATE sluice.checkpoint SET epoch = epoch + 1 WHERE task_id = $1 RETURNING epoch::text, lsn::text, source',
    [taskId],
  );
  const row = rows[0];
  if (!row) throw new SluiceError('SLUICE-5005', { detail: 'the target holds no checkpoint of this task' });
  const source = row.source === null ? null : parseSourceIdentity(row.source);
  return { epoch: BigInt(row.epoch), appliedLsn: parseLsn(row.lsn), source };
}

/** Notes which server the changes are from that will be applied next. On disk when it resolves. */
export async function recordSource(
  target: ClientBase,
  { taskId, epoch, source }: { taskId: string; epoch: bigint; source: SourceIdentity },
): Promise<void> {
  await target.query('BEGIN');
  // Without it the checkpoint could be on disk, and say after a crash that its changes are from the server before.
  await target.query('SET LOCAL synchronous_commit = on');
  await target.query('UPDATE sluice.checkpoint SET source = $3 WHERE task_id = $1::uuid AND epoch = $2::bigint', [
    taskId,
    epoch.toString(),
    formatSourceIdentity(source),
  ]);
  await target.query('COMMIT');
}

/** The statement that moves the checkpoint inside the transaction that holds the rows; it must affect exactly one row. */
export function moveCheckpoint(options: {
  taskId: string;
  epoch: bigint;
  appliedLsn: Lsn;
  commitTime: string | null;
}): Pick<PipelinedStatement, 'text' | 'values'> {
  return {
    text: `UPDATE sluice.checkpoint SET lsn = $3::pg_lsn, commit_time = coalesce($4::timestamptz, commit_time)
           WHERE task_id = $1::uuid AND epoch = $2::bigint AND lsn <= $3::pg_lsn`,
    values: [options.taskId, options.epoch.toString(), formatLsn(options.appliedLsn), options.commitTime],
  };
}
