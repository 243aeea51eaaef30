import { CHANGE_HEADERS, SluiceError } from '@sluice/contracts';
import { type Lsn, parseLsn, parseSourceIdentity, type SourceIdentity } from '@sluice/model';

export interface BatchHeader {
  readonly session: string;
  readonly ordinal: number;
  readonly previousLsn: Lsn;
  /** Of a session's first batch: what the slot had confirmed. */
  readonly slotLsn: Lsn | null;
  readonly watermarkLsn: Lsn;
  /** Of a session's first batch: the server that the session reads. */
  readonly source: SourceIdentity | null;
  /** When it was packed, on the source's clock, milliseconds since 1970. */
  readonly capturedAtMs: number | null;
  readonly continues: 'transaction' | 'frame' | null;
  readonly isPartial: boolean;
  /** It holds changes of one transaction that still ran at the source, and nothing else. */
  readonly streamed: { readonly xid: number; readonly isFirst: boolean } | null;
  readonly isFinal: boolean;
  readonly isBinary: boolean;
}

/** @throws SluiceError 7002 when a header is missing or no such value. */
export function readBatchHeader(headers: Readonly<Record<string, string>>): BatchHeader {
  const session = headers[CHANGE_HEADERS.session];
  const ordinal = Number(headers[CHANGE_HEADERS.ordinal]);
  const previousLsn = headers[CHANGE_HEADERS.previousLsn];
  const watermarkLsn = headers[CHANGE_HEADERS.watermarkLsn];
  const slotLsn = headers[CHANGE_HEADERS.slotLsn];
  const source = headers[CHANGE_HEADERS.source];
  const capturedAt = headers[CHANGE_HEADERS.capturedAt];
  const continues = headers[CHANGE_HEADERS.continues];
  const streamedXid = headers[CHANGE_HEADERS.streamedXid];
  if (
    session === undefined ||
    !Number.isSafeInteger(ordinal) ||
    previousLsn === undefined ||
    watermarkLsn === undefined
  ) {
    throw new SluiceError('SLUICE-7002', { detail: 'a batch of the change stream lacks its headers' });
  }
  return {
    session,
    ordinal,
    previousLsn: parseLsn(previousLsn),
    slotLsn: slotLsn === undefined ? null : parseLsn(slotLsn),
    watermarkLsn: parseLsn(watermarkLsn),
    source: source === undefined ? null : parseSourceIdentity(source),
    capturedAtMs: capturedAt === undefined ? null : Number(capturedAt) / 1000,
    continues: continues === undefined ? null : continues === 'frame' ? 'frame' : 'transaction',
    isPartial: headers[CHANGE_HEADERS.partial] === '1',
    streamed:
      streamedXid === undefined
        ? null
        : { xid: Number(streamedXid), isFirst: headers[CHANGE_HEADERS.streamedFirst] === '1' },
    isFinal: headers[CHANGE_HEADERS.final] === '1',
    isBinary: headers[CHANGE_HEADERS.binary] === '1',
  };
}

export type Continuity =
  /** It goes on where the batch before it ended. */
  | 'follows'
  /** Capture began anew at or before our position: an unfinished transaction comes again from its beginning. */
  | 'new-session'
  /** The same, but it begins inside a transaction: it joins if that one is applied already. */
  | 'inside'
  /** Something is missing before it. */
  | 'gap';

/** Decides whether a batch joins what was read, so that nothing can be missing unseen (I8). */
export class StreamContinuity {
  #session: string | null = null;
  #nextOrdinal = 0;

  /** The session of the newest accepted batch. */
  get session(): string | null {
    return this.#session;
  }

  /** @param positionLsn everything up to it is applied or about to be. */
  accept(batch: BatchHeader, positionLsn: Lsn): Continuity {
    if (batch.session === this.#session) {
      if (batch.ordinal !== this.#nextOrdinal) return 'gap';
      this.#nextOrdinal += 1;
      return 'follows';
    }
    // Another session, or the first batch that this reader sees: it must reach back to our position.
    if (batch.continues === 'frame' || batch.previousLsn > positionLsn) return 'gap';
    this.#session = batch.session;
    this.#nextOrdinal = batch.ordinal + 1;
    return batch.continues === null ? 'new-session' : 'inside';
  }

  /** Forgets the session, so that only a batch that reaches back to our position is accepted. */
  reset(): void {
    this.#session = null;
    this.#nextOrdinal = 0;
  }
}
