import {
  type ConnectionTestResult,
  type ErrorReport,
  type PrecheckResult,
  type Stage,
  type SyncType,
} from '@sluice/contracts';
import { type TaskState } from './task-state.js';

/** The stages whose runs the task machine gives out; the others are given out by the coordinator of the full load. */
export const TASK_STAGES = [
  'connection-test',
  'precheck',
  'full-load',
  'capture',
  'apply',
  'cleanup',
] as const satisfies readonly Stage[];
export type TaskStage = (typeof TASK_STAGES)[number];

/** A run that was given out and has not said how it ended. */
export interface OpenRun {
  readonly runId: string;
  readonly stage: TaskStage;
  /** Set by its `recovering` event, cleared by its `running` event. */
  readonly isRecovering: boolean;
  /** When its newest `recovering` or `running` event was made; an older one that is delivered late changes nothing. */
  readonly lastSignAt: string | null;
}

/** Everything that decides what an order or an event does to a task. */
export interface TaskSituation {
  readonly state: TaskState;
  /** Grows with every start, resume and retry; what older runs say is ignored. */
  readonly epoch: number;
  readonly syncType: SyncType;
  /** The full load was given out once: something may stand on both servers. */
  readonly isLoadStarted: boolean;
  readonly isLoadFinished: boolean;
  /** While ending: capture and apply have to reach the end before the cleanup. */
  readonly isDraining: boolean;
  /** While draining: where capture ends; `null` is the end of WAL when it sees the order. */
  readonly untilLsn: string | null;
  /** Open runs of this epoch, at most one per stage. */
  readonly openRuns: readonly OpenRun[];
  readonly error: ErrorReport | null;
  readonly connectionTest: ConnectionTestResult | null;
  readonly precheck: PrecheckResult | null;
}

/** What has to happen on the bus because of a decision, in this order. */
export type Order =
  | { readonly kind: 'desire'; readonly desired: 'running' | 'paused' | 'ending'; readonly untilLsn: string | null }
  /** Publish a new run of the stage in the decided epoch. */
  | { readonly kind: 'run'; readonly stage: TaskStage }
  /** Nothing reads the change stream any more. */
  | { readonly kind: 'delete-changes' }
  /** Remove the desired state, too: the task is gone. */
  | { readonly kind: 'forget' };

/** The situation that follows and what has to be published; both are stored in one transaction. */
export interface Decision {
  /** `openRuns` without those that `orders` give out. */
  readonly situation: TaskSituation;
  readonly orders: readonly Order[];
}

export const NEW_TASK: Omit<TaskSituation, 'syncType'> = {
  state: 'configuring',
  epoch: 0,
  isLoadStarted: false,
  isLoadFinished: false,
  isDraining: false,
  untilLsn: null,
  openRuns: [],
  error: null,
  connectionTest: null,
  precheck: null,
};

export const run = (...stages: readonly TaskStage[]): readonly Order[] =>
  stages.map((stage) => ({ kind: 'run', stage }));

export const desire = (desired: 'running' | 'paused' | 'ending', untilLsn: string | null = null): Order => ({
  kind: 'desire',
  desired,
  untilLsn,
});

/** The same situation in a new epoch: every open run is stale from now on. */
export function nextEpoch(situation: TaskSituation): TaskSituation {
  return { ...situation, epoch: situation.epoch + 1, openRuns: [] };
}
