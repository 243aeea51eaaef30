import { z } from 'zod';
import { LsnTextSchema, type TaskId } from '../primitives.js';
import { RateLimit } from './rate-limit.js';
import { defineSubject } from './subject.js';
import { TaskSpec } from './task-spec.js';

/**
 * A stage run is a work item: one worker pulls it, keeps it alive with in-progress acks, acks it at its end.
 * If the worker dies, the item is delivered to another one after RUN_ACK_WAIT_MS, which goes on from the state
 * that the databases hold. `snapshot`, `copy` and `build` are given out by the coordinator of `full-load`, `finish-load` by apply.
 */
export const STAGES = [
  'connection-test',
  'precheck',
  'full-load',
  'snapshot',
  'copy',
  'build',
  'finish-load',
  'capture',
  'apply',
  'cleanup',
] as const;
export const Stage = z.enum(STAGES);
export type Stage = z.infer<typeof Stage>;

/** Time without a sign of life after which a run goes to another worker, milliseconds. */
export const RUN_ACK_WAIT_MS = 6_000;
/** A third of the ack wait: one lost sign of life is survivable. */
export const RUN_HEARTBEAT_MS = 2_000;

const run = {
  version: z.literal(1),
  runId: z.uuid(),
  /** Grows with every start, resume and retry of the task; events of an older epoch are ignored. */
  epoch: z.number().int().nonnegative(),
  task: TaskSpec,
};

export const ConnectionTestRun = z.object({ ...run, stage: z.literal('connection-test') });
export const PrecheckRun = z.object({ ...run, stage: z.literal('precheck') });
export const FullLoadRun = z.object({ ...run, stage: z.literal('full-load') });
export const SnapshotRun = z.object({ ...run, stage: z.literal('snapshot') });
/** Copies one chunk; what it is stands in the ledger on the target. */
export const CopyRun = z.object({ ...run, stage: z.literal('copy'), chunkId: z.uuid() });
/** Executes one statement of the structure after the data (index, constraint, …); it stands in the ledger on the target. */
export const BuildRun = z.object({ ...run, stage: z.literal('build'), stepId: z.uuid() });
/**
 * Has built what looks at the rows of several tables, once apply has brought all of them to one moment. Given out when
 * not all tables were copied under the same snapshot; what is left to do stands in the ledger on the target.
 */
export const FinishLoadRun = z.object({ ...run, stage: z.literal('finish-load') });
export const CaptureRun = z.object({ ...run, stage: z.literal('capture') });
export const ApplyRun = z.object({ ...run, stage: z.literal('apply') });
/** Sets sequences, drops slot and publication on the source and the task's bookkeeping on the target. */
export const CleanupRun = z.object({ ...run, stage: z.literal('cleanup') });

export const StageRun = z.discriminatedUnion('stage', [
  ConnectionTestRun,
  PrecheckRun,
  FullLoadRun,
  SnapshotRun,
  CopyRun,
  BuildRun,
  FinishLoadRun,
  CaptureRun,
  ApplyRun,
  CleanupRun,
]);
export type StageRun = z.infer<typeof StageRun>;
export type StageRunOf<S extends Stage> = Extract<StageRun, { stage: S }>;

export const stageRuns = defineSubject({
  pattern: 'sluice.v1.run.*.*',
  format: ({ stage, taskId }: { stage: Stage; taskId: TaskId | '*' }) => `sluice.v1.run.${stage}.${taskId}`,
  payload: StageRun,
});

/** What a person ordered for a task; workers watch it. Level-triggered: losing one message loses no order. */
export const DesiredState = z.object({
  version: z.literal(1),
  desired: z.enum(['running', 'paused', 'ending']),
  epoch: z.number().int().nonnegative(),
  /** With `ending`: transactions whose commit LSN is below it are applied, no other. Absent: the end of WAL when capture sees the order. */
  untilLsn: LsnTextSchema.optional(),
  /** Of the full load. It belongs to the task, not to the epoch: the newest counts for every run. Absent: none. */
  rateLimit: RateLimit.optional(),
});
export type DesiredState = z.infer<typeof DesiredState>;
