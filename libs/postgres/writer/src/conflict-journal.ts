import { type Conflict, type ConflictAction, type ConflictKind, RowImage } from '@sluice/contracts';
import { formatLsn, type Lsn } from '@sluice/model';
import { type ClientBase } from 'pg';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type TablePlan } from './table-plan.js';

/**
 * The journal is an outbox: rows are written in the transaction that resolves the conflict, handed over by whoever
 * runs, and deleted once they are kept elsewhere. `ordinal` is the order of writing.
 */
const TABLE = `
  CREATE TABLE IF NOT EXISTS sluice.conflict (
    conflict_id uuid PRIMARY KEY, ordinal bigint GENERATED ALWAYS AS IDENTITY, task_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(), commit_lsn pg_lsn NOT NULL,
    change_number bigint NOT NULL, schema_name text NOT NULL, table_name text NOT NULL, operation text NOT NULL,
    kind text NOT NULL, constraint_name text, action text NOT NULL, key json NOT NULL, source_row json,
    target_rows json NOT NULL, UNIQUE (task_id, ordinal))`;

export async function createConflictTable(target: ClientBase): Promise<void> {
  await target.query(TABLE);
}

/** A conflict as it is journaled. Images are JSON objects of values as the target prints them. */
export interface JournalEntry {
  readonly plan: TablePlan;
  readonly commitLsn: Lsn;
  /** Of the change in its transaction, from 0. */
  readonly changeNumber: number;
  readonly operation: Conflict['operation'];
  readonly kind: ConflictKind;
  readonly constraint: string | null;
  readonly action: ConflictAction;
  readonly key: string;
  readonly sourceRow: string | null;
  readonly targetRows: readonly string[];
}

/**
 * The same conflict has the same id whenever it is met: what is read again after a crash, or again stops a task, is not
 * journaled as another one.
 */
export function conflictIdOf(taskId: string, entry: JournalEntry): string {
  const { schema, name } = entry.plan.relation;
  const place = [taskId, schema, name, formatLsn(entry.commitLsn), entry.changeNumber, entry.kind, entry.action];
  const hash = createHash('sha256').update(JSON.stringify(place)).digest();
  // RFC 9562, version 8: made from what it names.
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/**
 * Writes entries in the open transaction, while the caller is still the task's writer: a stale one could not commit what
 * it resolved, but a task that stops writes nothing else that would fail.
 */
export async function journal(
  target: ClientBase,
  writer: { taskId: string; epoch: bigint },
  entries: readonly JournalEntry[],
): Promise<void> {
  for (const entry of entries) {
    const { schema, name } = entry.plan.relation;
    await target.query({
      name: 'sluice_journal',
      text: `
        INSERT INTO sluice.conflict (conflict_id, task_id, commit_lsn, change_number, schema_name, table_name, operation,
                                     kind, constraint_name, action, key, source_row, target_rows)
        SELECT $1::uuid, $2::uuid, $3::pg_lsn, $4::bigint, $5, $6, $7, $8, $9, $10, $11::json, $12::json, $13::json
        WHERE EXISTS (SELECT FROM sluice.checkpoint WHERE task_id = $2::uuid AND epoch = $14::bigint)
        ON CONFLICT (conflict_id) DO NOTHING`,
      values: [
        conflictIdOf(writer.taskId, entry),
        writer.taskId,
        formatLsn(entry.commitLsn),
        entry.changeNumber,
        schema,
        name,
        entry.operation,
        entry.kind,
        entry.constraint,
        entry.action,
        entry.key,
        entry.sourceRow,
        `[${entry.targetRows.join(',')}]`,
        writer.epoch.toString(),
      ],
    });
  }
}

interface JournalRow {
  readonly conflict_id: string;
  readonly at: string;
  readonly commit_lsn: string;
  readonly change_number: string;
  readonly schema_name: string;
  readonly table_name: string;
  readonly operation: Conflict['operation'];
  readonly kind: ConflictKind;
  readonly constraint_name: string | null;
  readonly action: ConflictAction;
  readonly key: string;
  readonly source_row: string | null;
  readonly target_rows: string;
}

const RowImages = z.array(RowImage);

/** The oldest conflicts of a task that were not handed over, at most `limit` and about `bytesMax` (but one, if there is one). */
export async function readJournal(
  target: ClientBase,
  taskId: string,
  { limit, bytesMax }: { limit: number; bytesMax: number },
): Promise<Conflict[]> {
  const { rows: oldest } = await target.query<{ id: string; bytes: number }>(
    `SELECT conflict_id AS id, octet_length(key::text) + coalesce(octet_length(source_row::text), 0)
                               + octet_length(target_rows::text) AS bytes
     FROM sluice.conflict WHERE task_id = $1 ORDER BY ordinal LIMIT $2`,
    [taskId, limit],
  );
  let bytes = 0;
  const fitting = oldest.filter((entry, index) => (bytes += entry.bytes) <= bytesMax || index === 0);
  const { rows } = await target.query<JournalRow>(
    `SELECT conflict_id, pg_catalog.to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
            commit_lsn::text, change_number::text, schema_name, table_name, operation, kind, constraint_name, action,
            key::text, source_row::text, target_rows::text
     FROM sluice.conflict WHERE conflict_id = ANY ($1::uuid[]) ORDER BY ordinal`,
    [fitting.map(({ id }) => id)],
  );
  return rows.map((row) => ({
    conflictId: row.conflict_id,
    taskId,
    at: row.at,
    commitLsn: row.commit_lsn,
    changeNumber: Number(row.change_number),
    table: { schema: row.schema_name, name: row.table_name },
    operation: row.operation,
    kind: row.kind,
    constraint: row.constraint_name,
    action: row.action,
    key: RowImage.parse(JSON.parse(row.key)),
    sourceRow: row.source_row === null ? null : RowImage.parse(JSON.parse(row.source_row)),
    targetRows: RowImages.parse(JSON.parse(row.target_rows)),
  }));
}

/** They are kept elsewhere now. */
export async function forgetJournaled(target: ClientBase, conflictIds: readonly string[]): Promise<void> {
  await target.query('DELETE FROM sluice.conflict WHERE conflict_id = ANY ($1::uuid[])', [conflictIds]);
}
