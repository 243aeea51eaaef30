import { CHANGE_HEADERS } from '@sluice/contracts';
import { formatLsn, type Lsn } from '@sluice/model';

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
  /** Nothing follows, ever. */
  readonly isFinal: boolean;
  /** Gives the payload's memory back; to be called once it is stored. */
  release(): void;
}

export function batchHeaders(
  batch: Batch,
  { session, ordinal, slotLsn }: { readonly session: string; readonly ordinal: number; readonly slotLsn: Lsn },
): Record<string, string> {
  return {
    [CHANGE_HEADERS.session]: session,
    [CHANGE_HEADERS.ordinal]: String(ordinal),
    [CHANGE_HEADERS.previousLsn]: formatLsn(batch.previousLsn),
    [CHANGE_HEADERS.watermarkLsn]: formatLsn(batch.watermarkLsn),
    ...(ordinal === 0 && { [CHANGE_HEADERS.slotLsn]: formatLsn(slotLsn) }),
    ...(batch.continues && { [CHANGE_HEADERS.continues]: '1' }),
    ...(batch.isPartial && { [CHANGE_HEADERS.partial]: '1' }),
    ...(batch.isFinal && { [CHANGE_HEADERS.final]: '1' }),
  };
}
