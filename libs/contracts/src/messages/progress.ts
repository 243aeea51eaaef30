import { z } from 'zod';
import { LsnTextSchema, TableName, TaskId } from '../primitives.js';
import { defineSubject } from './subject.js';

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
    /** WAL between what the slot has confirmed and the end of WAL on the source, bytes. */
    retainedBytes: z.number(),
    transactions: z.number(),
    changes: z.number(),
  }),
  z.object({
    kind: z.literal('apply'),
    appliedLsn: LsnTextSchema,
    durableLsn: LsnTextSchema,
    /** Source clock now − commit time of the last transaction applied; 0 when nothing is pending. Milliseconds. */
    delayMs: z.number(),
    transactions: z.number(),
    changes: z.number(),
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
