import { EARLY_ACK_BYTES, SluiceError } from '@sluice/contracts';
import { assert, delay } from '@sluice/kernel';
import { type ChangeMessage } from '@sluice/messaging';
import { formatLsn, type Lsn, formatSourceIdentity, refuseSource, type SourceIdentity } from '@sluice/model';
import {
  FoldedStatementFailed,
  type LargeTransaction,
  StreamedUnfit,
  type TransactionPart,
} from '@sluice/postgres-writer';
import { type ApplyLoopOptions } from './apply-loop-options.js';
import { CommittedWriter } from './committed-writer.js';
import { DurabilityQueue } from './durability-queue.js';
import { RewindRequests } from './rewind-requests.js';
import { RunningTransactions } from './running-transactions.js';
import { type BatchHeader, readBatchHeader, StreamContinuity } from './stream-continuity.js';
import { type Assembled, TransactionAssembler } from './transaction-assembler.js';

/** A transaction above this is written while it still arrives. */
const PART_BYTES = 2 * 1024 * 1024;
/** How often the target is asked what it has on disk, and others are told. */
const DURABILITY_INTERVAL_MS = 100;
/** Without anything to make durable there is nothing to look after so often. */
const IDLE_INTERVAL_MS = 1_000;

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
  readonly #rewinds: RewindRequests;
  readonly #running: RunningTransactions;
  readonly #committed: CommittedWriter;
  /** The newest batch whose transactions are all waiting, being written or written. */
  #completeSequence = 0;
  #large: { readonly transaction: LargeTransaction; readonly commitLsn: Lsn; bytes: number } | null = null;
  #incoming: Promise<ChangeMessage | null> | null = null;
  #nextDurabilityAt = 0;

  constructor(options: ApplyLoopOptions) {
    const { target } = options;
    this.#options = options;
    this.#assembler = new TransactionAssembler({ appliedLsn: target.appliedLsn, partBytes: PART_BYTES });
    this.#rewinds = new RewindRequests(options.requestRewind);
    this.#running = new RunningTransactions({
      begin: (xid) => target.beginStreamed(xid),
      watchLocks: () => target.watchLocks(),
      mainPid: () => target.backendPid,
      countMax: options.runningMax,
    });
    this.#committed = new CommittedWriter({
      ...options,
      durability: this.#durability,
      onWritten: (appliedLsn) => this.#running.pump(appliedLsn),
    });
  }

  /** Runs until the final batch is durable (`final`) or the signal is aborted (`stopped`). @throws ExactRestartNeeded, SluiceError */
  async run(): Promise<'final' | 'stopped'> {
    try {
      return await this.#readAndWrite();
    } finally {
      // Order: whoever waits for the end of the loop may say then that nothing is written any more.
      await this.#committed.writing;
      await this.#running.abandon();
    }
  }

  async #readAndWrite(): Promise<'final' | 'stopped'> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      const message = await this.#next();
      await this.#tend();
      await this.#giveUpUnfit();
      if (message && (await this.#accept(message))) {
        await this.#writeAll();
        await this.#untilDurable();
        return 'final';
      }
    }
    // What is being written is finished, what waits comes again from the stream.
    await this.#committed.writing;
    await this.#large?.transaction.rollback();
    this.#committed.throwIfFailed();
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
    if (!this.#committed.writing) this.#startWriting();
    const incoming = this.#incoming;
    const arrived = incoming.then((message) => ({ message }));
    const { writing } = this.#committed;
    const first = await (writing ? Promise.race([arrived, writing]) : arrived);
    this.#committed.throwIfFailed();
    // A write ended first; the promise stays, as a message that arrives later must not be lost with it.
    if (!first) return null;
    this.#incoming = null;
    if (!first.message && this.#committed.isIdle && !this.#large) this.#options.onHealthy();
    return first.message;
  }

  /** True when it was the final batch. */
  async #accept(message: ChangeMessage): Promise<boolean> {
    const batch = readBatchHeader(message.headers);
    if (batch.source) this.#requireHistory(batch.source);
    // What cannot be written is as good as missing: it has to be sent again.
    const isRefused = (batch.isBinary && this.#options.needsText) || this.#rewinds.isRefused(batch.session);
    const continuity = isRefused ? 'gap' : this.#continuity.accept(batch, this.#assembler.positionLsn);
    if (continuity === 'gap') {
      await this.#onGap(batch, message.sequence);
      return false;
    }
    if (continuity !== 'follows') await this.#beginSession(batch, continuity);
    const openBefore = this.#assembler.openTransaction;
    if (batch.streamed) return this.#acceptRunning(batch, message);
    for (const assembled of this.#assembler.add(message.payload, batch.isPartial)) {
      if (assembled.kind === 'lost' || (assembled.kind === 'streamed-end' && !this.#running.has(assembled.xid))) {
        await this.#onGap(batch, message.sequence);
        return false;
      }
      this.#noteReceived(assembled, batch);
      await this.#take(assembled);
      if (await this.#giveUpUnfit()) return false;
    }
    // Capture had passed on the begin of a transaction above the end when that was ordered.
    if (batch.isFinal) await this.#abandonUnfinished();
    // The final batch stays in the stream until that is deleted: a run that takes over from this one must see it, too.
    this.#noteComplete(batch.isFinal ? message.sequence - 1 : message.sequence, openBefore);
    if (this.#assembler.isAtBoundary) this.#assembler.advance(batch.watermarkLsn);
    if (this.#large && this.#large.bytes > EARLY_ACK_BYTES) this.#options.reader.ackThrough(message.sequence);
    if (this.#committed.isFull) {
      await this.#committed.writing;
      this.#startWriting();
    }
    return batch.isFinal;
  }

  /** Changes of a transaction that still runs. Never the final batch. */
  async #acceptRunning(batch: BatchHeader, message: ChangeMessage): Promise<false> {
    const { target } = this.#options;
    if (!this.#running.accept(batch, message.payload, this.#assembler.positionLsn)) {
      await this.#onGap(batch, message.sequence);
      return false;
    }
    // Should it get lost from here on, its next batch or its commit tells, and capture sends it again.
    this.#completeSequence = message.sequence;
    this.#running.pump(target.appliedLsn);
    if (!this.#running.isFull) return false;
    await this.#writeAll();
    await this.#running.makeRoom(target.appliedLsn);
    return false;
  }

  /** @throws SluiceError 4009 when what the target has is not part of this server's history. */
  #requireHistory(source: SourceIdentity): void {
    const known = this.#options.target.source;
    const refusal = known && refuseSource(source, { source: known, positionLsn: this.#assembler.positionLsn });
    if (refusal) throw new SluiceError('SLUICE-4009', { detail: refusal });
  }

  async #beginSession({ source }: BatchHeader, continuity: 'new-session' | 'inside'): Promise<void> {
    const { target } = this.#options;
    this.#rewinds.answered();
    await this.#abandonUnfinished();
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
    } else if (assembled.kind === 'end' || assembled.kind === 'streamed-end') {
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
        this.#committed.add(assembled.transaction);
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
        this.#committed.noteCommitted({ count: 1, commitTime: assembled.commitTime });
        return;
      }
      case 'streamed-end':
        await this.#commitRunning(assembled);
        return;
      case 'streamed-abort':
        await this.#running.abort(assembled, this.#assembler.positionLsn);
        return;
      case 'lost':
        assert(false, 'what is lost is asked for again');
    }
  }

  async #commitRunning(end: Extract<Assembled, { kind: 'streamed-end' }>): Promise<void> {
    // Order: what was committed before it must be committed before it.
    await this.#writeAll();
    await this.#committed.joinBelow(end.commitLsn);
    this.#options.killPoint('apply-before-commit');
    if (await this.#running.commit(end.xid, end, this.#options.target.appliedLsn))
      this.#committed.noteCommitted({ count: 1, commitTime: end.commitTime });
  }

  async #takePart(part: TransactionPart): Promise<void> {
    if (!this.#large) {
      // Order: what was committed before it must be written before it.
      await this.#writeAll();
      await this.#committed.joinBelow(part.commitLsn);
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

  #startWriting(): void {
    if (!this.#large) this.#committed.start(this.#assembler.positionLsn, this.#completeSequence);
  }

  async #writeAll(): Promise<void> {
    await this.#committed.writing;
    this.#startWriting();
    await this.#committed.writing;
    this.#committed.throwIfFailed();
  }

  async #onGap(batch: BatchHeader, sequence: number): Promise<void> {
    const { target, reader } = this.#options;
    if (batch.slotLsn !== null && batch.slotLsn > target.appliedLsn) {
      throw new SluiceError('SLUICE-5005', {
        detail: `the slot begins at ${formatLsn(batch.slotLsn)}, the target's checkpoint is ${formatLsn(target.appliedLsn)}`,
      });
    }
    await this.#askAgain(batch.session);
    // Capture sends all of it again; until then the stream must not fill up.
    reader.ackThrough(sequence);
  }

  async #askAgain(session: string, options?: { readonly needsWhole: boolean }): Promise<void> {
    await this.#abandonUnfinished();
    // Order: capture begins at the checkpoint. Were that to move on, what is applied could not be told from what still runs.
    await this.#writeAll();
    this.#continuity.reset();
    this.#rewinds.refuse(session, options);
  }

  /** True when running transactions were given up. @throws what one failed with that another way of writing does not mend. */
  async #giveUpUnfit(): Promise<boolean> {
    const { failure } = this.#running;
    if (failure === null) return false;
    const { session } = this.#continuity;
    if (!(failure instanceof StreamedUnfit) || session === null) throw failure;
    this.#options.onUnfit(failure);
    await this.#askAgain(session, { needsWhole: true });
    return true;
  }

  /** What has not committed comes again from its beginning, or never. */
  async #abandonUnfinished(): Promise<void> {
    await this.#running.abandon();
    if (!this.#assembler.abandon()) return;
    await this.#large?.transaction.rollback();
    this.#large = null;
  }

  /** What is due by time: the target's durable position, acks, reports, rewind orders. */
  async #tend(): Promise<void> {
    const { target, reader, onDurable } = this.#options;
    const now = performance.now();
    this.#rewinds.tend(now, target.appliedLsn);
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
}

function asExactRestart(commitLsn: Lsn): (error: unknown) => never {
  return (error) => {
    throw error instanceof FoldedStatementFailed ? new ExactRestartNeeded(commitLsn) : error;
  };
}
