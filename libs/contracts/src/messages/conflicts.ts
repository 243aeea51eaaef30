import { z } from 'zod';
import { LsnTextSchema, TableName, TaskId } from '../primitives.js';
import { defineSubject } from './subject.js';

/** Values as text by column, as the server prints them; null is NULL; a column that the source did not send (unchanged TOAST) is absent. */
export const RowImage = z.record(z.string(), z.string().nullable());
export type RowImage = z.infer<typeof RowImage>;

export const ConflictKind = z.enum(['duplicate_key', 'missing_row']);
export type ConflictKind = z.infer<typeof ConflictKind>;

/** `stopped`: nothing was done, the task failed here (policy `error`). */
export const ConflictAction = z.enum(['ignored', 'overwritten', 'stopped']);
export type ConflictAction = z.infer<typeof ConflictAction>;

/** One conflict of the incremental phase. It was journaled in the target transaction that resolved it, so exactly once. */
export const Conflict = z.object({
  conflictId: z.uuid(),
  taskId: TaskId,
  at: z.iso.datetime(),
  /** Commit LSN of the source transaction, and the number of the change in it (from 0). */
  commitLsn: LsnTextSchema,
  changeNumber: z.number().int().nonnegative(),
  table: TableName,
  operation: z.enum(['insert', 'update', 'delete']),
  kind: ConflictKind,
  /** Name of the violated constraint or unique index; null for a missing row. */
  constraint: z.string().nullable(),
  action: ConflictAction,
  /** The identifying columns. */
  key: RowImage,
  /** The row that the source wanted; null for a delete. Values above 64 KiB are cut and end in `…`. */
  sourceRow: RowImage.nullable(),
  /** The rows of the target that were in the way, as they were before; none for a missing row. */
  targetRows: z.array(RowImage),
});
export type Conflict = z.infer<typeof Conflict>;

/** Apply hands over what it journaled on the target; recording the same conflict again changes nothing. Bounded to what one bus message holds. */
export const RecordConflicts = z.object({ version: z.literal(1), taskId: TaskId, conflicts: z.array(Conflict) });
export type RecordConflicts = z.infer<typeof RecordConflicts>;

export const ConflictsRecorded = z.object({ version: z.literal(1), recorded: z.number().int() });
export type ConflictsRecorded = z.infer<typeof ConflictsRecorded>;

export const conflictRecords = defineSubject({
  pattern: 'sluice.v1.conflict.record',
  format: (_: Record<string, never>) => 'sluice.v1.conflict.record',
  payload: RecordConflicts,
});
