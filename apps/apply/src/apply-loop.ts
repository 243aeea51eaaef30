import { EARLY_ACK_BYTES, SluiceError } from '@sluice/contracts';
import { assert, delay } from '@sluice/kernel';
import { type ChangeMessage, type ChangeReader } from '@sluice/messaging';
import { formatLsn, type Lsn, formatSourceIdentity, refuseSource, type SourceIdentity } from '@sluice/model';
import {
  FoldedStatementFailed,
  type LargeTransaction,
  type SourceTransaction,
  type TargetSession,
  type TransactionPart,
} from '@sluice/postgres-writer';
import { DurabilityQueue } from './durability-queue.js';
import { type BatchHeader, readBatchHeader, StreamContinuity } from './stream-continuity.js';
import { type TableAdoption } from './table-adoption.js';
import { type Assembled, TransactionAssembler } from './transaction-assembler.js';

/** Waiting changes above this are written even while more arrive: enough to fold well, little enough to hold. */
const BATCH_BYTES = 4 * 1024 * 1024;
/** A transaction above this is written while it still arrives. */
const PART_BYTES = 2 * 1024 * 1024;
/** How often the target is asked what it has on disk, and others are told. */
const DURABILITY_INTERVAL_MS = 100;
/** Without anything to make durable there is nothing to look after so often. */
const IDLE_INTERVAL_MS = 1_000;
/** A rewind order may be lost; it is repeated until capture begins anew. */
const REWIND_INTERVAL_MS = 1_000;

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
  readonly requestRewind: (session: string | null, checkpointLsn: Lsn) => void;
  readonly killPoint: (name: string) => void;
  /** Tables that join while changes are applied; `null` when none can. */
  readonly adoption?: LoopAdoption | null;
}

/** The target must go back to the checkpoint and write the transaction with this commit LSN row by row. */
export class ExactRestartNeeded extends Error {
  override readonly name = 'ExactRestartNeeded';

  constructor(readonly commitLsn: Lsn) {
    super(`transaction at ${formatLsn(commitLsn)} is to be written row by row`);
  }
}

/**
 * Change stream → target. While one batch of transactions is being written the next is read and assembled; when nothing
 * is being written, whatever has arrived is, so that batches grow with the load and nothing waits without it.
 *
 * Maintained invariant: a batch is removed from the stream only when the target has its transactions on disk, or when it
 * belongs to a large open transaction, whose loss the continuity check notices (capture then sends it again).
 */
export class ApplyLoop {
  readonly #options: ApplyLoopOptions;
  readonly #assembler: TransactionAssembler;
  readonly #continuity = new StreamContinuity();
  readonly #durability = new DurabilityQueue();
  #waiting: SourceTransaction[] = [];
  #waitingBytes = 0;
  /** The newest batch whose transactions are all waiting, being written or written. */
  #completeSequence = 0;
  /** Never rejects; a failure is kept in `#failure`. */
  #writing: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;
  #large: { readonly transaction: LargeTransaction; readonly commitLsn: Lsn; bytes: number } | null = null;
  #incoming: Promise<ChangeMessage | null> | null = null;
  /** The session that has a gap: a rewind is asked for until another one begins. */
  #gapSession: string | null = null;
  #nextRewindAt = 0;
  #nextDurabilityAt = 0;

  constructor(options: ApplyLoopOptions) {
    this.#options = options;
    this.#assembler = new TransactionAssembler({ appliedLsn: options.target.appliedLsn, partBytes: PART_BYTES });
  }

  /** Runs until the final batch is durable (`final`) or the signal is aborted (`stopped`). @throws ExactRestartNeeded, SluiceError */
  async run(): Promise<'final' | 'stopped'> {
    try {
      return await this.#readAndWrite();
    } finally {
      // Order: whoever waits for the end of the loop may say then that nothing is written any more.
      await this.#writing;
    }
  }

  async #readAndWrite(): Promise<'final' | 'stopped'> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      const message = await this.#next();
      await this.#tend();
      if (message && (await this.#accept(message))) {
        await this.#writeAll();
        await this.#untilDurable();
        return 'final';
      }
    }
    // What is being written is finished, what waits comes again from the stream.
    await this.#writing;
    await this.#large?.transaction.rollback();
    this.#throwIfFailed();
    return 'stopped';
  }

  /** The next batch; `null` after a while without one, or when a write ended. Starts a write when nothing else is to do. */
  async #next(): Promise<ChangeMessage | null> {
    const { reader } = this.#options;
    if (!this.#incoming) {
      const ready = reader.tryNext();
      if (ready) return ready;
      this.#incoming = reader.next(this.#durability.isEmpty ? IDLE_INTERVAL_MS : DURABILITY_INTERVAL_MS);
    }
    if (!this.#writing) this.#startWriting();
    const incoming = this.#incoming;
    const arrived = incoming.then((message) => ({ message }));
    const first = await (this.#writing ? Promise.race([arrived, this.#writing]) : arrived);
    this.#throwIfFailed();
    // A write ended first; the promise stays, as a message that arrives later must not be lost with it.
    if (!first) return null;
    this.#incoming = null;
    if (!first.message && !this.#writing && this.#waiting.length === 0 && !this.#large) this.#options.onHealthy();
    return first.message;
  }

  /** True when it was the final batch. */
  async #accept(message: ChangeMessage): Promise<boolean> {
    const batch = readBatchHeader(message.headers);
    if (batch.source) this.#requireHistory(batch.source);
    // What cannot be written is as good as missing: it has to be sent again.
    const isRefused = batch.isBinary && this.#options.needsText;
    const continuity = isRefused ? 'gap' : this.#continuity.accept(batch, this.#assembler.positionLsn);
    if (continuity === 'gap') {
      await this.#onGap(batch, message.sequence);
      return false;
    }
    if (continuity !== 'follows') await this.#beginSession(batch, continuity);
    const openBefore = this.#assembler.openTransaction;
    for (const assembled of this.#assembler.add(message.payload, batch.isPartial)) {
      if (assembled.kind === 'lost') {
        await this.#onGap(batch, message.sequence);
        return false;
      }
      this.#noteReceived(assembled, batch);
      await this.#take(assembled);
    }
    // Capture had passed on the begin of a transaction above the end when that was ordered.
    if (batch.isFinal) await this.#abandonOpen();
    // The final batch stays in the stream until that is deleted: a run that takes over from this one must see it, too.
    this.#noteComplete(batch.isFinal ? message.sequence - 1 : message.sequence, openBefore);
    if (this.#assembler.isAtBoundary) this.#assembler.advance(batch.watermarkLsn);
    if (this.#large && this.#large.bytes > EARLY_ACK_BYTES) this.#options.reader.ackThrough(message.sequence);
    if (this.#waitingBytes >= BATCH_BYTES) {
      await this.#writing;
      this.#throwIfFailed();
      this.#startWriting();
    }
    return batch.isFinal;
  }

  /** @throws SluiceError 4009 when what the target has is not part of this server's history. */
  #requireHistory(source: SourceIdentity): void {
    const known = this.#options.target.source;
    const refusal = known && refuseSource(source, { source: known, positionLsn: this.#assembler.positionLsn });
    if (refusal) throw new SluiceError('SLUICE-4009', { detail: refusal });
  }

  async #beginSession({ source }: BatchHeader, continuity: 'new-session' | 'inside'): Promise<void> {
    const { target } = this.#options;
    this.#gapSession = null;
    await this.#abandonOpen();
    if (continuity === 'inside') this.#assembler.joinInTail();
    if (!source || (target.source && formatSourceIdentity(target.source) === formatSourceIdentity(source))) return;
    // Order: what came from the server before must be written under its name, what follows under this one's.
    await this.#writeAll();
    await target.recordSource(source);
  }

  #noteReceived(assembled: Assembled, { capturedAtMs }: BatchHeader): void {
    if (assembled.kind === 'transaction') {
      const { endLsn, commitTime } = assembled.transaction;
      this.#options.onReceived({ endLsn, commitTime, capturedAtMs });
    } else if (assembled.kind === 'end') {
      const { endLsn, commitTime } = assembled;
      this.#options.onReceived({ endLsn, commitTime, capturedAtMs });
    }
  }

  #noteComplete(sequence: number, openBefore: Lsn | null): void {
    const open = this.#assembler.openTransaction;
    if (open === null) this.#completeSequence = sequence;
    // The unfinished transaction began in this batch: those before it hold none of it.
    else if (open !== openBefore) this.#completeSequence = sequence - 1;
  }

  async #take(assembled: Assembled): Promise<void> {
    switch (assembled.kind) {
      case 'transaction':
        this.#waiting.push(assembled.transaction);
        this.#waitingBytes += assembled.transaction.sizeBytes;
        return;
      case 'part':
        await this.#takePart(assembled.part);
        return;
      case 'end': {
        const large = this.#large;
        assert(large, 'a large transaction ends that has no part');
        this.#large = null;
        this.#options.killPoint('apply-before-commit');
        await large.transaction.commit(assembled).catch(asExactRestart(assembled.commitLsn));
        this.#options.killPoint('apply-after-commit');
        this.#options.adoption?.look();
        this.#options.onHealthy();
        this.#options.onApplied({ count: 1, commitTime: assembled.commitTime });
        return;
      }
      case 'lost':
        assert(false, 'what is lost is asked for again');
    }
  }

  async #takePart(part: TransactionPart): Promise<void> {
    if (!this.#large) {
      // Order: what was committed before it must be written before it.
      await this.#writeAll();
      await this.#joinBelow(part.commitLsn);
      const mode = part.commitLsn === this.#options.exactCommitLsn ? 'exact' : 'folded';
      this.#large = { transaction: this.#options.target.beginLarge(mode), commitLsn: part.commitLsn, bytes: 0 };
    }
    const large = this.#large;
    large.bytes += part.sizeBytes;
    await large.transaction.write(part).catch((error: unknown) => {
      this.#large = null;
      return asExactRestart(part.commitLsn)(error);
    });
  }

  /** Begins to write what waits, and moves the checkpoint past WAL without changes for us. @throws what the write before it failed with. */
  #startWriting(): void {
    const { target } = this.#options;
    // Order: a write can fail while something else is waited for. What follows it would move the checkpoint past it, and lose it.
    this.#throwIfFailed();
    if (this.#large) return;
    const transactions = this.#waiting;
    const sequence = this.#completeSequence;
    const positionLsn = this.#assembler.positionLsn;
    if (transactions.length === 0 && positionLsn <= target.appliedLsn && !this.#isJoinDue(positionLsn)) {
      if (sequence > 0) this.#durability.add(target.appliedLsn, sequence);
      return;
    }
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#writing = this.#write(transactions, positionLsn)
      .then(() => {
        if (sequence > 0) this.#durability.add(target.appliedLsn, sequence);
      })
      .catch((error: unknown) => {
        this.#failure = { error };
      })
      .finally(() => {
        this.#writing = null;
      });
  }

  async #write(transactions: readonly SourceTransaction[], positionLsn: Lsn): Promise<void> {
    const { adoption } = this.#options;
    await adoption?.gate();
    const joinLsn = adoption?.joinLsn ?? null;
    if (joinLsn === null || joinLsn > positionLsn) {
      await this.#writeTogether(transactions, positionLsn);
      return;
    }
    // Order: the tables that join are as of this position, so that what commits below it must be there, and nothing above.
    const above = transactions.findIndex(({ commitLsn }) => commitLsn >= joinLsn);
    const count = above < 0 ? transactions.length : above;
    if (count > 0) await this.#writeTogether(transactions.slice(0, count), joinLsn);
    await adoption?.join();
    await this.#writeTogether(transactions.slice(count), positionLsn);
  }

  async #writeTogether(transactions: readonly SourceTransaction[], positionLsn: Lsn): Promise<void> {
    const { target, killPoint, onApplied, onHealthy } = this.#options;
    killPoint('apply-before-commit');
    await target.applyTransactions(transactions);
    if (positionLsn > target.appliedLsn) await target.advance(positionLsn);
    killPoint('apply-after-commit');
    this.#options.adoption?.look();
    onHealthy();
    onApplied({ count: transactions.length, commitTime: transactions.at(-1)?.commitTime ?? null });
  }

  #isJoinDue(positionLsn: Lsn): boolean {
    const joinLsn = this.#options.adoption?.joinLsn ?? null;
    return joinLsn !== null && joinLsn <= positionLsn;
  }

  /** Before a transaction that is written while it arrives. */
  async #joinBelow(commitLsn: Lsn): Promise<void> {
    await this.#options.adoption?.gate();
    if (this.#isJoinDue(commitLsn)) await this.#options.adoption?.join();
  }

  async #writeAll(): Promise<void> {
    await this.#writing;
    this.#throwIfFailed();
    this.#startWriting();
    await this.#writing;
    this.#throwIfFailed();
  }

  async #onGap(batch: BatchHeader, sequence: number): Promise<void> {
    const { target, reader } = this.#options;
    if (batch.slotLsn !== null && batch.slotLsn > target.appliedLsn) {
      throw new SluiceError('SLUICE-5005', {
        detail: `the slot begins at ${formatLsn(batch.slotLsn)}, the target's checkpoint is ${formatLsn(target.appliedLsn)}`,
      });
    }
    await this.#abandonOpen();
    this.#continuity.reset();
    // The newest: a session that began at the stream's tail has the same gap and must rewind, too.
    this.#gapSession = batch.session;
    // Capture sends all of it again; until then the stream must not fill up.
    reader.ackThrough(sequence);
  }

  async #abandonOpen(): Promise<void> {
    if (!this.#assembler.abandon()) return;
    await this.#large?.transaction.rollback();
    this.#large = null;
  }

  /** What is due by time: the target's durable position, acks, reports, rewind orders. */
  async #tend(): Promise<void> {
    const { target, reader, onDurable, requestRewind } = this.#options;
    const now = performance.now();
    if (this.#gapSession !== null && now >= this.#nextRewindAt) {
      this.#nextRewindAt = now + REWIND_INTERVAL_MS;
      requestRewind(this.#gapSession, target.appliedLsn);
    }
    if (now < this.#nextDurabilityAt) return;
    this.#nextDurabilityAt = now + DURABILITY_INTERVAL_MS;
    // Inside a large transaction the answer would wait behind its statements.
    const durableLsn = this.#large ? target.durableLsn : await target.refreshDurable();
    const sequence = this.#durability.takeThrough(durableLsn);
    if (sequence !== null) {
      this.#options.killPoint('apply-before-ack');
      reader.ackThrough(sequence);
    }
    onDurable(durableLsn);
  }

  async #untilDurable(): Promise<void> {
    const { target, signal } = this.#options;
    while (target.durableLsn < target.appliedLsn) {
      await delay(DURABILITY_INTERVAL_MS, signal);
      this.#nextDurabilityAt = 0;
      await this.#tend();
    }
    this.#startWriting();
    this.#nextDurabilityAt = 0;
    await this.#tend();
  }

  #throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error;
  }
}

function asExactRestart(commitLsn: Lsn): (error: unknown) => never {
  return (error) => {
    throw error instanceof FoldedStatementFailed ? new ExactRestartNeeded(commitLsn) : error;
  };
}
