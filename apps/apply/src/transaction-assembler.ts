import { SluiceError } from '@sluice/contracts';
import { assert } from '@sluice/kernel';
import { type Lsn, ZERO_LSN } from '@sluice/model';
import {
  decodeBegin,
  decodeCommit,
  decodeStreamAbort,
  decodeStreamCommit,
  frames,
  MESSAGE_KIND,
} from '@sluice/postgres-replication';
import { type FrameRun, type SourceTransaction, type TransactionPart } from '@sluice/postgres-writer';
import { PartialFrame } from './partial-frame.js';

/** 2000-01-01T00:00:00Z, the epoch of the protocol's timestamps. */
const POSTGRES_EPOCH_MS = 946_684_800_000;

/** What the frames of the stream come to. A large transaction comes as `part`s and then `end`. */
export type Assembled =
  | { readonly kind: 'transaction'; readonly transaction: SourceTransaction }
  | { readonly kind: 'part'; readonly part: TransactionPart }
  | { readonly kind: 'end'; readonly commitLsn: Lsn; readonly endLsn: Lsn; readonly commitTime: Date }
  /** A transaction that came while it ran has committed. The position moves behind it when the next is asked for. */
  | {
      readonly kind: 'streamed-end';
      readonly xid: number;
      readonly commitLsn: Lsn;
      readonly endLsn: Lsn;
      readonly commitTime: Date;
    }
  /** It is void, or a subtransaction of it is. */
  | { readonly kind: 'streamed-abort'; readonly xid: number; readonly subxid: number }
  /** Of a transaction that is not applied only the tail came. Nothing follows. */
  | { readonly kind: 'lost' };

interface OpenTransaction {
  readonly commitLsn: Lsn;
  /** It is applied already; only the descriptions of relations in it are of use. */
  readonly isSkipped: boolean;
  hasParts: boolean;
}

export interface TransactionAssemblerOptions {
  /** Everything that ends at or below it is applied. */
  readonly appliedLsn: Lsn;
  /** A transaction with more bytes is handed out in parts while it still arrives. */
  readonly partBytes: number;
}

/**
 * Puts the frames of batches together to transactions, in commit order, leaving out those that are applied already.
 *
 * Maintained invariant: `positionLsn` never goes back, and every transaction that ends at or below it has been handed out.
 */
export class TransactionAssembler {
  readonly #partBytes: number;
  #positionLsn: Lsn;
  /** Bytes of a frame that goes on in the next batch. */
  readonly #partial = new PartialFrame();
  #runs: FrameRun[] = [];
  #runBytes = 0;
  #open: OpenTransaction | null = null;
  /** What comes first is the tail of a transaction whose begin is not in the stream any more. */
  #isInTail = false;

  constructor(options: TransactionAssemblerOptions) {
    this.#positionLsn = options.appliedLsn;
    this.#partBytes = options.partBytes;
  }

  get positionLsn(): Lsn {
    return this.#positionLsn;
  }

  /** True between transactions, with nothing left over. */
  get isAtBoundary(): boolean {
    return this.#open === null && this.#partial.isEmpty && !this.#isInTail;
  }

  /** Tells one unfinished transaction from another; `null` at a boundary. */
  get openTransaction(): Lsn | null {
    if (this.isAtBoundary) return null;
    return this.#open?.commitLsn ?? ZERO_LSN;
  }

  /** Everything up to it has been seen, also where it held nothing for the task. */
  advance(watermarkLsn: Lsn): void {
    if (watermarkLsn > this.#positionLsn) this.#positionLsn = watermarkLsn;
  }

  /** The next batch begins with the tail of a transaction: it is left out if it is applied already, else it is lost. */
  joinInTail(): void {
    this.#isInTail = true;
  }

  /** Drops an unfinished transaction: a new session of capture sends it again from its beginning. True when parts of it were handed out. */
  abandon(): boolean {
    const hadParts = this.#open?.hasParts ?? false;
    this.#partial.clear();
    this.#runs = [];
    this.#runBytes = 0;
    this.#open = null;
    this.#isInTail = false;
    return hadParts;
  }

  /** @param isPartial the batch ends inside a frame. */
  *add(payload: Uint8Array, isPartial: boolean): Generator<Assembled> {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const isWhole = this.#partial.isEmpty && !isPartial;
    if (!isWhole) this.#partial.add(bytes);
    if (isPartial) return;
    yield* this.#scan(isWhole ? bytes : this.#partial.take());
  }

  *#scan(buffer: Buffer): Generator<Assembled> {
    const cursor = frames(buffer);
    let runStart = 0;
    while (cursor.advance()) {
      switch (cursor.kind) {
        case MESSAGE_KIND.begin:
          this.#begin(buffer, cursor.payloadOffset);
          if (this.#open?.isSkipped) {
            this.#addRun(buffer, runStart, cursor.offset);
            runStart = cursor.end;
          }
          break;
        case MESSAGE_KIND.commit: {
          if (this.#isInTail) {
            if (decodeCommit(buffer, cursor.payloadOffset).endLsn > this.#positionLsn) {
              yield { kind: 'lost' };
              return;
            }
            this.#isInTail = false;
            runStart = cursor.end;
            break;
          }
          if (!this.#open?.isSkipped) this.#addRun(buffer, runStart, cursor.end);
          runStart = cursor.end;
          yield* this.#commit(buffer, cursor.payloadOffset);
          break;
        }
        case MESSAGE_KIND.streamCommit:
        case MESSAGE_KIND.streamAbort:
          this.#addRun(buffer, runStart, cursor.offset);
          runStart = cursor.end;
          if (cursor.kind === MESSAGE_KIND.streamCommit) yield* this.#endStreamed(buffer, cursor.payloadOffset);
          else yield { kind: 'streamed-abort', ...decodeStreamAbort(buffer, cursor.payloadOffset) };
          break;
        default:
          if (this.#isLeftOut) {
            if (cursor.kind === MESSAGE_KIND.relation) this.#addRun(buffer, cursor.offset, cursor.end);
            runStart = cursor.end;
          }
          break;
      }
    }
    if (!cursor.isAtEnd)
      throw new SluiceError('SLUICE-4004', { detail: 'a batch of the change stream ends inside a frame' });
    if (this.#isInTail) {
      // What is removed from the stream ends with a transaction, so a tail that goes on belongs to one that is not applied.
      yield { kind: 'lost' };
      return;
    }
    if (!this.#open?.isSkipped) this.#addRun(buffer, runStart, buffer.length);
    if (this.#open && !this.#open.isSkipped && this.#runBytes >= this.#partBytes) yield this.#takePart(this.#open);
  }

  get #isLeftOut(): boolean {
    return this.#isInTail || this.#open?.isSkipped === true;
  }

  #begin(buffer: Buffer, payloadOffset: number): void {
    assert(this.#open === null, 'a transaction begins inside another one');
    const { commitLsn } = decodeBegin(buffer, payloadOffset);
    this.#open = { commitLsn, isSkipped: commitLsn < this.#positionLsn, hasParts: false };
  }

  *#commit(buffer: Buffer, payloadOffset: number): Generator<Assembled> {
    const open = this.#open;
    assert(open, 'a transaction ends that did not begin');
    const { commitLsn, endLsn, commitTimeMicros } = decodeCommit(buffer, payloadOffset);
    assert(commitLsn === open.commitLsn, 'a transaction ends as another one');
    this.#open = null;
    if (open.isSkipped) return;
    assert(endLsn > this.#positionLsn, 'transactions come out of commit order');
    this.#positionLsn = endLsn;
    const commitTime = toDate(commitTimeMicros);
    if (open.hasParts) {
      yield this.#takePart(open);
      yield { kind: 'end', commitLsn, endLsn, commitTime };
      return;
    }
    const transaction = { commitLsn, endLsn, commitTime, runs: this.#runs, sizeBytes: this.#runBytes };
    this.#runs = [];
    this.#runBytes = 0;
    yield { kind: 'transaction', transaction };
  }

  *#endStreamed(buffer: Buffer, payloadOffset: number): Generator<Assembled> {
    const { xid, commitLsn, endLsn, commitTimeMicros } = decodeStreamCommit(buffer, payloadOffset);
    if (endLsn <= this.#positionLsn) {
      yield { kind: 'streamed-abort', xid, subxid: xid };
      return;
    }
    yield { kind: 'streamed-end', xid, commitLsn, endLsn, commitTime: toDate(commitTimeMicros) };
    // Order: whoever wrote up to this position while it was handed out would have moved the checkpoint past it.
    this.#positionLsn = endLsn;
  }

  #takePart(open: OpenTransaction): Assembled {
    open.hasParts = true;
    const part = { commitLsn: open.commitLsn, runs: this.#runs, sizeBytes: this.#runBytes };
    this.#runs = [];
    this.#runBytes = 0;
    return { kind: 'part', part };
  }

  #addRun(buffer: Buffer, start: number, end: number): void {
    if (end <= start) return;
    this.#runs.push({ buffer, start, end });
    this.#runBytes += end - start;
  }
}

function toDate(commitTimeMicros: bigint): Date {
  return new Date(Number(commitTimeMicros / 1000n) + POSTGRES_EPOCH_MS);
}
