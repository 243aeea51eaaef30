import { z } from 'zod';
import { LsnTextSchema, TableName, TaskId } from '../primitives.js';
import { defineSubject } from './subject.js';

/** What the source says about the task's slot. */
export const SlotHealth = z.object({
  /** End of WAL on the source. */
  sourceLsn: LsnTextSchema,
  restartLsn: LsnTextSchema.nullable(),
  /** `reserved`, `extended`, `unreserved`, `lost`; null before PostgreSQL 13. */
  walStatus: z.string().nullable(),
  /** WAL that may still be written before the slot is lost, bytes; null when unbounded or unknown (before PostgreSQL 13). */
  safeBytes: z.number().nullable(),
  /** When the slot is lost if retained WAL goes on growing as it does; null when unbounded, unknown, or not growing. */
  secondsLeft: z.number().nullable(),
});
export type SlotHealth = z.infer<typeof SlotHealth>;

/** Capture: commit on the source → stored on the bus; transport: → received by apply; apply: → committed on the target. Milliseconds. */
export const DelayParts = z.object({ captureMs: z.number(), transportMs: z.number(), applyMs: z.number() });
export type DelayParts = z.infer<typeof DelayParts>;

/** Live numbers, about once a second, not stored: the next one replaces a lost one. */
export const Progress = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('full-load'),
    phase: z.enum(['structure', 'snapshot', 'data', 'indexes', 'finishing', 'done']),
    tablesTotal: z.number(),
    tablesDone: z.number(),
    chunksTotal: z.number(),
    chunksDone: z.number(),
    rowsDone: z.number(),
    bytesDone: z.number(),
    /** Estimate from the source's statistics. */
    bytesTotal: z.number(),
    stepsTotal: z.number(),
    stepsDone: z.number(),
    bytesPerSecond: z.number(),
    secondsLeft: z.number().nullable(),
    currentTables: z.array(TableName),
  }),
  z.object({
    kind: z.literal('capture'),
    publishedLsn: LsnTextSchema,
    confirmedLsn: LsnTextSchema,
    /** WAL that the source keeps on its disk for the slot: from the slot's restart LSN to the end of WAL, bytes. */
    retainedBytes: z.number(),
    transactions: z.number(),
    changes: z.number(),
    /** End of the newest transaction that was read; where the session began when there was none. */
    transactionLsn: LsnTextSchema,
    /** Clock of the source when this was said. ISO 8601; null until it was seen. */
    sourceTime: z.iso.datetime().nullable(),
    /** Everything that was committed on the source until then has been read; `sourceTime` when nothing waits there. */
    readThrough: z.iso.datetime().nullable(),
    /** How far the source's clock is ahead of capture's, milliseconds. */
    clockOffsetMs: z.number().nullable(),
    /** The slot as of the last look at the source; null before it. */
    slot: SlotHealth.nullable(),
    /** Times that an idle source was made to move its slot since the session began. */
    heartbeats: z.number(),
  }),
  z.object({
    kind: z.literal('apply'),
    appliedLsn: LsnTextSchema,
    durableLsn: LsnTextSchema,
    /** How long the transaction that was applied last took from its commit on the source; 0 when none was applied of late. Milliseconds. */
    delayMs: z.number(),
    /** The same in parts; null when none was applied of late. */
    lastTransaction: DelayParts.nullable(),
    transactions: z.number(),
    changes: z.number(),
    /** Conflicts by what was done about them, since the run began. */
    conflicts: z.object({ ignored: z.number(), overwritten: z.number() }).default({ ignored: 0, overwritten: 0 }),
    /** DDL of the source that was executed, skipped or postponed; absent when the task does not follow DDL. */
    ddl: z.number().optional(),
    /** DDL of the source that was left out, as it is about objects that do not belong to the task; absent when there was none. */
    ddlOutside: z.number().optional(),
    /** Messages of the source that had the form of a DDL but not the signature of the capture, and were left out; absent when there were none. */
    ddlForged: z.number().optional(),
    /** End and commit time of the newest transaction that was received completely. */
    receivedLsn: LsnTextSchema,
    receivedCommitTime: z.iso.datetime().nullable(),
    /** Commit time of the newest transaction that was applied. */
    appliedCommitTime: z.iso.datetime().nullable(),
  }),
]);
export type Progress = z.infer<typeof Progress>;

export const ProgressMessage = z.object({
  version: z.literal(1),
  taskId: TaskId,
  epoch: z.number().int(),
  at: z.iso.datetime(),
  progress: Progress,
});
export type ProgressMessage = z.infer<typeof ProgressMessage>;

export const progressMessages = defineSubject({
  pattern: 'sluice.v1.progress.*',
  format: ({ taskId }: { taskId: TaskId }) => `sluice.v1.progress.${taskId}`,
  payload: ProgressMessage,
});
