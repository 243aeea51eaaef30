import { z } from 'zod';
import { ErrorReport, LsnTextSchema, TaskId } from '../primitives.js';
import { ConnectionTestResult, PrecheckResult } from './checks.js';
import { Stage } from './stage-runs.js';
import { defineSubject } from './subject.js';

/** What the end of a stage says beside "it succeeded". */
export const StageResult = z.discriminatedUnion('stage', [
  z.object({ stage: z.literal('connection-test'), report: ConnectionTestResult }),
  z.object({ stage: z.literal('precheck'), report: PrecheckResult }),
  z.object({
    stage: z.literal('full-load'),
    consistentLsn: LsnTextSchema.nullable(),
    rows: z.number(),
    bytes: z.number(),
    tables: z.number(),
  }),
  z.object({ stage: z.literal('capture'), publishedLsn: LsnTextSchema }),
  z.object({ stage: z.literal('apply'), appliedLsn: LsnTextSchema }),
  z.object({ stage: z.literal('cleanup') }),
]);
export type StageResult = z.infer<typeof StageResult>;

const event = {
  version: z.literal(1),
  eventId: z.uuid(),
  taskId: TaskId,
  runId: z.uuid(),
  epoch: z.number().int().nonnegative(),
  stage: Stage,
  /** Name of the process that speaks, e.g. `capture-1f3a`. */
  worker: z.string(),
  /** ISO 8601. */
  at: z.iso.datetime(),
};

/** What happened to a stage run. `stopped` answers an order to pause or end; `recovering` says that the worker retries by itself. */
export const StageEvent = z.discriminatedUnion('outcome', [
  z.object({ ...event, outcome: z.literal('started') }),
  z.object({ ...event, outcome: z.literal('running') }),
  z.object({ ...event, outcome: z.literal('recovering'), error: ErrorReport, attempt: z.number().int() }),
  z.object({ ...event, outcome: z.literal('succeeded'), result: StageResult }),
  z.object({ ...event, outcome: z.literal('failed'), error: ErrorReport, result: StageResult.optional() }),
  z.object({ ...event, outcome: z.literal('stopped') }),
]);
export type StageEvent = z.infer<typeof StageEvent>;

export const stageEvents = defineSubject({
  pattern: 'sluice.v1.event.stage.*',
  format: ({ taskId }: { taskId: TaskId }) => `sluice.v1.event.stage.${taskId}`,
  payload: StageEvent,
});

/** A task changed its state; published by task management through its outbox. */
export const TaskEvent = z.object({
  version: z.literal(1),
  eventId: z.uuid(),
  taskId: TaskId,
  taskName: z.string(),
  from: z.string().nullable(),
  to: z.string(),
  error: ErrorReport.nullable(),
  at: z.iso.datetime(),
});
export type TaskEvent = z.infer<typeof TaskEvent>;

export const taskEvents = defineSubject({
  pattern: 'sluice.v1.event.task.*',
  format: ({ taskId }: { taskId: TaskId }) => `sluice.v1.event.task.${taskId}`,
  payload: TaskEvent,
});
