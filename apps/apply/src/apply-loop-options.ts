import { type ChangeReader } from '@sluice/messaging';
import { type Lsn } from '@sluice/model';
import { type StreamedUnfit, type TargetSession } from '@sluice/postgres-writer';
import { type RewindRequest } from './rewind-requests.js';
import { type TableAdoption } from './table-adoption.js';

export type LoopReader = Pick<ChangeReader, 'tryNext' | 'next' | 'ackThrough'>;
export type LoopTarget = Pick<
  TargetSession,
  | 'source'
  | 'recordSource'
  | 'appliedLsn'
  | 'durableLsn'
  | 'applyTransactions'
  | 'advance'
  | 'beginLarge'
  | 'beginStreamed'
  | 'backendPid'
  | 'watchLocks'
  | 'refreshDurable'
>;

/** The newest transaction that a batch completes. */
export interface ReceivedTransaction {
  readonly endLsn: Lsn;
  readonly commitTime: Date;
  /** When the batch was packed, on the source's clock; null when capture did not know that. */
  readonly capturedAtMs: number | null;
}

export type LoopAdoption = Pick<TableAdoption, 'joinLsn' | 'gate' | 'look' | 'join'>;

export interface ApplyLoopOptions {
  readonly reader: LoopReader;
  readonly target: LoopTarget;
  readonly signal: AbortSignal;
  /** The transaction with this commit LSN, which came in parts, is written row by row this time. */
  readonly exactCommitLsn: Lsn | null;
  /** Values in binary form are asked for again as text. */
  readonly needsText: boolean;
  readonly onDurable: (durableLsn: Lsn) => void;
  /** A batch came that completes transactions; told before they are applied. */
  readonly onReceived: (newest: ReceivedTransaction) => void;
  /** A write was committed, or there is nothing to write: what failed before is over. */
  readonly onHealthy: () => void;
  readonly onApplied: (transactions: { count: number; commitTime: Date | null }) => void;
  readonly requestRewind: (request: RewindRequest) => void;
  /** Transactions that still run at the source may be written on so many connections. */
  readonly runningMax: number;
  /** Running transactions could not be written so; they are asked for again as a whole. */
  readonly onUnfit: (reason: StreamedUnfit) => void;
  readonly killPoint: (name: string) => void;
  /** Tables that join while changes are applied; `null` when none can. */
  readonly adoption?: LoopAdoption | null;
}
