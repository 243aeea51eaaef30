import { CHANGE_BATCH_BYTES_MAX, EARLY_ACK_BYTES } from '@sluice/contracts';
import { type Lsn, maxLsn } from '@sluice/model';
import {
  type Commit,
  decodeBegin,
  decodeCommit,
  decodeStreamCommit,
  type FrameCursor,
  frames,
  MESSAGE_KIND,
} from '@sluice/postgres-replication';
import { BatchBuffers } from './batch-buffers.js';
import { type Batch, type PackedTransaction } from './batch.js';
import { RelationHeading } from './relation-heading.js';
import { type StreamedTransaction, StreamedTransactions } from './streamed-transactions.js';

/** 2000-01-01T00:00:00Z, the epoch of the protocol's timestamps. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
/** Apply counts the Relation frames at the head of each batch, too: half of its bound is below it with any of them. */
const LARGE_BYTES = EARLY_ACK_BYTES / 2;

/** Throws when nothing that comes after this Relation message may be packed. */
type RelationCheck = (buffer: Uint8Array, payloadOffset: number) => void;

/**
 * Packs the source's frames, as they are, into batches. Knows where transactions begin and end and nothing of values.
 *
 * Maintained invariants: a batch begins with the Relation frames that its changes need; all frames come out once, in
 * order; `watermarkLsn` is the highest position below which every transaction has been packed completely. A batch holds
 * committed transactions, or changes of one that still runs; the end of the latter stands among the committed ones.
 */
export class BatchAssembler {
  readonly #emit: (batch: Batch) => void;
  readonly #checkRelation: RelationCheck;
  readonly #buffers = new BatchBuffers(CHANGE_BATCH_BYTES_MAX);
  readonly #committedHeading = new RelationHeading();
  readonly #streamed = new StreamedTransactions();
  /** The block of a running transaction's changes that the source is sending. */
  #block: StreamedTransaction | null = null;
  /** Of the committed transactions, or of the block. */
  #heading = this.#committedHeading;
  #buffer: Buffer;
  /** Bytes of frames in `#buffer`, the heading not counted. */
  #fill = 0;
  #watermarkLsn: Lsn;
  /** Commit LSN of the transaction that is open, or null. */
  #openCommitLsn: Lsn | null = null;
  /** The watermark and the state of the transaction where the batch that is packed now began. */
  #previousLsn: Lsn;
  #continues = false;
  #continuesFrame = false;
  /** Bytes of the transaction that is open. */
  #openBytes = 0;
  #endsLarge = false;
  #newest: PackedTransaction | null = null;
  #readCommitMs: number | null = null;
  #untilLsn: Lsn | null = null;
  #isDrained = false;
  #transactionCount = 0;
  #changeCount = 0;

  /** @param startLsn the session is complete from here on. */
  constructor(startLsn: Lsn, emit: (batch: Batch) => void, checkRelation: RelationCheck = () => undefined) {
    this.#watermarkLsn = startLsn;
    this.#previousLsn = startLsn;
    this.#emit = emit;
    this.#checkRelation = checkRelation;
    this.#buffer = this.#buffers.take();
  }

  get isTransactionOpen(): boolean {
    return this.#openCommitLsn !== null || this.#block !== null;
  }

  /** Bytes that wait for the next batch. */
  get bufferedBytes(): number {
    return this.#fill;
  }

  get watermarkLsn(): Lsn {
    return this.#watermarkLsn;
  }

  /** A transaction at or above the end was seen: all below it are packed, what comes now is left out. */
  get isDrained(): boolean {
    return this.#isDrained;
  }

  /** When the transaction that is read committed, on the source's clock; milliseconds since 1970. Null for one that still runs. */
  get readCommitMs(): number | null {
    return this.#block ? null : this.#readCommitMs;
  }

  get transactionCount(): number {
    return this.#transactionCount;
  }

  get changeCount(): number {
    return this.#changeCount;
  }

  /** The first batch of a session: says where it starts, so that the consumer sees it at once. */
  announce(): void {
    this.#cut({});
  }

  /** Takes a run of complete frames; copies them, so that the run's memory may be used again. */
  append(run: Uint8Array): void {
    if (this.#isDrained) return;
    const frame = frames(run);
    let spanStart = 0;
    while (frame.advance()) {
      if (frame.kind === MESSAGE_KIND.begin && this.#isBeyondEnd(frame)) {
        this.#copy(run.subarray(spanStart, frame.offset));
        this.#isDrained = true;
        return;
      }
      if (this.#isControl(frame.kind)) {
        this.#copy(run.subarray(spanStart, frame.offset));
        spanStart = frame.end;
        this.#control(frame);
        if (this.#isDrained) return;
        continue;
      }
      if (this.#block) frame.moveXidForward();
      if (!this.#fits(frame, frame.offset - spanStart)) {
        this.#copy(run.subarray(spanStart, frame.offset));
        this.flush();
        spanStart = frame.offset;
        if (!this.#fits(frame, 0)) {
          this.#emitInPieces(frame);
          spanStart = frame.end;
          continue;
        }
      }
      this.#heading.add(frame);
      this.#track(frame);
    }
    this.#copy(run.subarray(spanStart));
  }

  /** Makes a batch of what waits, if anything does. */
  flush(): void {
    if (this.#fill > 0) this.#cut({});
  }

  /**
   * The source has nothing more below `lsn`: says so in a batch of its own. Only when nothing is open or waits, as a
   * watermark above an unfinished transaction would lose it.
   */
  advanceWatermark(lsn: Lsn): boolean {
    if (this.isTransactionOpen || this.#fill > 0 || lsn <= this.#watermarkLsn) return false;
    this.#watermarkLsn = lsn;
    this.#cut({});
    return true;
  }

  /** Packs transactions whose commit LSN is below `untilLsn`, and no other. */
  stopAt(untilLsn: Lsn): void {
    this.#untilLsn = untilLsn;
    if (this.#openCommitLsn === null || this.#openCommitLsn < untilLsn) return;
    // A transaction above the end has begun already; a consumer drops what never commits.
    this.#isDrained = true;
    this.#openCommitLsn = null;
  }

  /** The last batch: every transaction that ends at or below `untilLsn` has been packed. Returns its watermark. */
  finish(untilLsn: Lsn): Lsn {
    this.flush();
    this.#watermarkLsn = maxLsn(this.#watermarkLsn, untilLsn);
    this.#cut({ isFinal: true });
    this.#isDrained = true;
    return this.#watermarkLsn;
  }

  /** Messages that say whose the others are. Inside a block an origin is the only other one that has no xid, and nobody needs it. */
  #isControl(kind: number): boolean {
    switch (kind) {
      case MESSAGE_KIND.streamStart:
      case MESSAGE_KIND.streamStop:
      case MESSAGE_KIND.streamCommit:
      case MESSAGE_KIND.streamAbort:
        return true;
      case MESSAGE_KIND.origin:
        return this.#block !== null;
      default:
        return false;
    }
  }

  /** Nothing before it waits to be copied. */
  #control(frame: FrameCursor): void {
    switch (frame.kind) {
      case MESSAGE_KIND.streamStart:
        this.flush();
        this.#block = this.#streamed.begin(frame);
        this.#heading = this.#block.heading;
        return;
      case MESSAGE_KIND.streamStop:
        this.flush();
        this.#block = null;
        this.#heading = this.#committedHeading;
        return;
      case MESSAGE_KIND.streamCommit:
        this.#commitStreamed(frame);
        return;
      case MESSAGE_KIND.streamAbort:
        if (this.#streamed.abort(frame)) this.#pack(frame);
        return;
      default:
    }
  }

  #commitStreamed(frame: FrameCursor): void {
    const commit = decodeStreamCommit(frame.buffer, frame.payloadOffset);
    if (this.#untilLsn !== null && commit.commitLsn >= this.#untilLsn) {
      this.#isDrained = true;
      return;
    }
    const transaction = this.#streamed.take(commit.xid);
    // One without changes for us is nothing but a position.
    if (transaction?.isPacked) this.#pack(frame);
    if (transaction) this.#committedHeading.adopt(transaction.heading);
    this.#noteCommit(commit);
    // Order: what is adopted describes the changes that follow, not those before it in the same batch.
    this.#cut({});
  }

  #pack(frame: FrameCursor): void {
    if (!this.#fits(frame, 0)) this.flush();
    this.#copy(frame.bytes);
  }

  #isBeyondEnd(frame: FrameCursor): boolean {
    return this.#untilLsn !== null && decodeBegin(frame.buffer, frame.payloadOffset).commitLsn >= this.#untilLsn;
  }

  #fits(frame: FrameCursor, spanBytes: number): boolean {
    const bodyBytes = this.#fill + spanBytes + (frame.end - frame.offset);
    return bodyBytes + this.#heading.sizeBytes + this.#heading.growthFor(frame) <= CHANGE_BATCH_BYTES_MAX;
  }

  #track(frame: FrameCursor): void {
    this.#openBytes += frame.end - frame.offset;
    switch (frame.kind) {
      case MESSAGE_KIND.begin:
        this.#begin(frame);
        return;
      case MESSAGE_KIND.commit:
        this.#commit(frame);
        return;
      case MESSAGE_KIND.relation:
        this.#checkRelation(frame.buffer, frame.payloadOffset);
        return;
      case MESSAGE_KIND.insert:
      case MESSAGE_KIND.update:
      case MESSAGE_KIND.delete:
      case MESSAGE_KIND.truncate:
        this.#changeCount += 1;
        return;
      default:
    }
  }

  #begin(frame: FrameCursor): void {
    const { commitLsn, commitTimeMicros } = decodeBegin(frame.buffer, frame.payloadOffset);
    this.#openCommitLsn = commitLsn;
    this.#openBytes = 0;
    this.#readCommitMs = unixMs(commitTimeMicros);
  }

  #commit(frame: FrameCursor): void {
    this.#openCommitLsn = null;
    this.#endsLarge ||= this.#openBytes >= LARGE_BYTES;
    this.#noteCommit(decodeCommit(frame.buffer, frame.payloadOffset));
  }

  #noteCommit({ endLsn, commitTimeMicros }: Commit): void {
    this.#watermarkLsn = endLsn;
    this.#transactionCount += 1;
    this.#readCommitMs = unixMs(commitTimeMicros);
    this.#newest = { endLsn, commitTimeMs: this.#readCommitMs };
  }

  #copy(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#fill);
    this.#fill += bytes.length;
  }

  /**
   * A frame that is larger than a batch, alone or with its heading, goes over several; nothing else stands in the last of
   * them. What it needs goes before it as frames, as a truncation can name more relations than a heading has room for.
   */
  #emitInPieces(frame: FrameCursor): void {
    for (const relation of this.#heading.missingFor(frame)) {
      if (this.#fill + relation.length > CHANGE_BATCH_BYTES_MAX) this.flush();
      this.#copy(relation);
    }
    this.#track(frame);
    for (let offset = frame.offset; offset < frame.end;) {
      const room = CHANGE_BATCH_BYTES_MAX - this.#fill;
      const end = Math.min(frame.end, offset + room);
      this.#copy(frame.buffer.subarray(offset, end));
      this.#cut({ isPartial: end < frame.end });
      offset = end;
    }
  }

  #cut({ isPartial = false, isFinal = false }: { isPartial?: boolean; isFinal?: boolean }): void {
    const headBytes = this.#heading.sizeBytes;
    if (headBytes > 0) {
      this.#buffer.copyWithin(headBytes, 0, this.#fill);
      this.#heading.writeTo(this.#buffer);
    }
    const { payload, next, release } = this.#buffers.detach(this.#buffer, headBytes + this.#fill);
    const [previousLsn, watermarkLsn] = [this.#previousLsn, this.#watermarkLsn];
    const [continues, continuesFrame] = [this.#continues, this.#continuesFrame];
    const [newest, endsLarge] = [this.#newest, this.#endsLarge];
    const streamed = this.#block && { xid: this.#block.xid, isFirst: !this.#block.isPacked };
    if (this.#block) this.#block.isPacked = true;
    this.#buffer = next;
    this.#fill = 0;
    this.#heading.reset();
    this.#previousLsn = watermarkLsn;
    this.#continues = this.#openCommitLsn !== null;
    this.#continuesFrame = isPartial;
    this.#endsLarge = false;
    this.#emit({
      payload,
      previousLsn,
      watermarkLsn,
      continues,
      continuesFrame,
      isPartial,
      isFinal,
      streamed,
      newest,
      endsLarge,
      release,
    });
  }
}

function unixMs(protocolMicros: bigint): number {
  return Number(protocolMicros) / 1000 + POSTGRES_EPOCH_MS;
}
