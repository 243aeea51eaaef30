import { type Lsn } from '@sluice/model';

/** A run of complete CopyData frames in a received batch. */
export interface FrameRun {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Frames of one transaction of the source: all of them, or a part of one that is too large to be held. */
export interface TransactionPart {
  /** LSN of the commit record: orders transactions; compared with a table's start LSN. Of one that still runs: an LSN that it will not be below. */
  readonly commitLsn: Lsn;
  readonly runs: readonly FrameRun[];
  readonly sizeBytes: number;
}

/** A complete transaction. */
export interface SourceTransaction extends TransactionPart {
  /** First byte after the commit record: the checkpoint once it is applied. */
  readonly endLsn: Lsn;
  readonly commitTime: Date;
}
