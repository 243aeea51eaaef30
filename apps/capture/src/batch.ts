import { CHANGE_HEADERS } from '@sluice/contracts';
import { formatLsn, formatSourceIdentity, type Lsn, type SourceIdentity } from '@sluice/model';

/** A transaction that was packed completely. */
export interface PackedTransaction {
  readonly endLsn: Lsn;
  /** On the source's clock, milliseconds since 1970. */
  readonly commitTimeMs: number;
}

/** Whose changes a batch of a transaction holds that has not committed yet. */
export interface StreamedPart {
  readonly xid: number;
  /** The session sent nothing of it before. */
  readonly isFirst: boolean;
}

/** What is stored as one message of the change stream. */
export interface Batch {
  readonly payload: Uint8Array;
  /** The watermark before this batch; of a session's first batch: where the session starts. */
  readonly previousLsn: Lsn;
  /** Every transaction that ends at or below it is complete in the session with this batch. */
  readonly watermarkLsn: Lsn;
  /** It begins inside a transaction. */
  readonly continues: boolean;
  /** The last frame goes on in the next batch. */
  readonly isPartial: boolean;
  /** It begins inside a frame. */
  readonly continuesFrame: boolean;
  /** Nothing follows, ever. */
  readonly isFinal: boolean;
  /** It holds changes of one transaction that still runs, and nothing else. */
  readonly streamed: StreamedPart | null;
  /** The newest transaction that is complete with it; null when the session has brought none. */
  readonly newest: PackedTransaction | null;
  /** It ends a transaction that apply may begin to remove from the bus before it has committed it. */
  readonly endsLarge: boolean;
  /** Gives the payload's memory back; to be called once it is stored. */
  release(): void;
}

export interface BatchContext {
  readonly session: string;
  readonly ordinal: number;
  readonly slotLsn: Lsn;
  readonly source: SourceIdentity | null;
  /** On the source's clock; null while that is not known. */
  readonly capturedAtMs: number | null;
}

export function batchHeaders(
  batch: Batch,
  { session, ordinal, slotLsn, source, capturedAtMs }: BatchContext,
): Record<string, string> {
  return {
    [CHANGE_HEADERS.session]: session,
    [CHANGE_HEADERS.ordinal]: String(ordinal),
    [CHANGE_HEADERS.previousLsn]: formatLsn(batch.previousLsn),
    [CHANGE_HEADERS.watermarkLsn]: formatLsn(batch.watermarkLsn),
    ...(ordinal === 0 && { [CHANGE_HEADERS.slotLsn]: formatLsn(slotLsn) }),
    ...(ordinal === 0 && source && { [CHANGE_HEADERS.source]: formatSourceIdentity(source) }),
    ...(capturedAtMs !== null && { [CHANGE_HEADERS.capturedAt]: String(Math.round(capturedAtMs * 1000)) }),
    ...(batch.continues && { [CHANGE_HEADERS.continues]: batch.continuesFrame ? 'frame' : '1' }),
    ...(batch.streamed && { [CHANGE_HEADERS.streamedXid]: String(batch.streamed.xid) }),
    ...(batch.streamed?.isFirst && { [CHANGE_HEADERS.streamedFirst]: '1' }),
    ...(batch.isPartial && { [CHANGE_HEADERS.partial]: '1' }),
    ...(batch.isFinal && { [CHANGE_HEADERS.final]: '1' }),
  };
}
