import { type Progress, type StageRun, type StageRunOf } from '@sluice/contracts';
import { type Client } from '@sluice/postgres-client';
import { type ObjectJudge } from '@sluice/model';
import { type LedgerWatch } from '@sluice/postgres-snapshot';
import { type Logger } from '@sluice/telemetry';
import { StopOrdered } from './load-errors.js';
import { type TaskDatabases } from './task-databases.js';

export type LoadProgress = Extract<Progress, { kind: 'full-load' }>;

/** What has the structure after the data built, before or after changes began to be applied. */
export interface BuildContext {
  readonly run: StageRunOf<'full-load' | 'finish-load'>;
  readonly taskId: string;
  readonly target: Client;
  readonly ledger: LedgerWatch;
  readonly signal: AbortSignal;
  readonly isStopOrdered: () => boolean;
  readonly publishItem: (run: StageRun, msgId: string) => Promise<void>;
  readonly report: (progress: LoadProgress) => void;
}

/** What the coordinator of one load is given. */
export interface LoadContext {
  readonly run: StageRunOf<'full-load'>;
  readonly databases: TaskDatabases;
  /** The process stops, or the run is another worker's. */
  readonly signal: AbortSignal;
  readonly isStopOrdered: () => boolean;
  /** Gives an item to the workers; a second one with the same id is dropped. */
  readonly publishItem: (run: StageRun, msgId: string) => Promise<void>;
  readonly report: (progress: LoadProgress) => void;
  readonly onHealthy: () => void;
  readonly passing: (point: string) => void;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly chunkBytes: number;
  readonly roles: 'existing' | 'none';
}

/** The same with its sessions. */
export interface Load extends LoadContext {
  readonly taskId: string;
  readonly source: Client;
  readonly target: Client;
  readonly ledger: LedgerWatch;
  /** Whether changes follow the load: then there is a slot and a publication. */
  readonly isFollowed: boolean;
  /** Which objects of the source belong to the task. */
  readonly judge: ObjectJudge;
}

/** @throws the signal's reason or StopOrdered when this load must not go on. */
export function checkOrders({ signal, isStopOrdered }: Pick<LoadContext, 'signal' | 'isStopOrdered'>): void {
  signal.throwIfAborted();
  if (isStopOrdered()) throw new StopOrdered('the task was ordered to pause or end');
}
