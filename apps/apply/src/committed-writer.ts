import { type Lsn } from '@sluice/model';
import { type SourceTransaction } from '@sluice/postgres-writer';
import { type ApplyLoopOptions } from './apply-loop-options.js';
import { type DurabilityQueue } from './durability-queue.js';

/** Waiting changes above this are written even while more arrive: enough to fold well, little enough to hold. */
const BATCH_BYTES = 4 * 1024 * 1024;

export interface CommittedWriterOptions extends Pick<
  ApplyLoopOptions,
  'target' | 'killPoint' | 'onHealthy' | 'onApplied' | 'adoption'
> {
  readonly durability: DurabilityQueue;
  /** The target has everything up to here. */
  readonly onWritten: (appliedLsn: Lsn) => void;
}

/**
 * Writes transactions that have committed at the source, in their order, several together.
 *
 * Maintained invariant: one write is under way at a time, and none begins behind one that failed.
 */
export class CommittedWriter {
  readonly #options: CommittedWriterOptions;
  #waiting: SourceTransaction[] = [];
  #waitingBytes = 0;
  /** Never rejects; a failure is kept in `#failure`. */
  #writing: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(options: CommittedWriterOptions) {
    this.#options = options;
  }

  add(transaction: SourceTransaction): void {
    this.#waiting.push(transaction);
    this.#waitingBytes += transaction.sizeBytes;
  }

  get isFull(): boolean {
    return this.#waitingBytes >= BATCH_BYTES;
  }

  get isIdle(): boolean {
    return this.#writing === null && this.#waiting.length === 0;
  }

  /** What is under way; never rejects. */
  get writing(): Promise<void> | null {
    return this.#writing;
  }

  /**
   * Begins to write what waits, and moves the checkpoint past WAL without changes for us.
   * @param sequence the newest batch of the stream that holds nothing above `positionLsn`.
   * @throws what the write before it failed with.
   */
  start(positionLsn: Lsn, sequence: number): void {
    const { target, durability, onWritten } = this.#options;
    // Order: a write can fail while something else is waited for. What follows it would move the checkpoint past it, and lose it.
    this.throwIfFailed();
    const transactions = this.#waiting;
    if (transactions.length === 0 && positionLsn <= target.appliedLsn && !this.#isJoinDue(positionLsn)) {
      if (sequence > 0) durability.add(target.appliedLsn, sequence);
      return;
    }
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#writing = this.#write(transactions, positionLsn)
      .then(() => {
        if (sequence > 0) durability.add(target.appliedLsn, sequence);
        onWritten(target.appliedLsn);
      })
      .catch((error: unknown) => {
        this.#failure = { error };
      })
      .finally(() => {
        this.#writing = null;
      });
  }

  /** Before a transaction that is written by itself: everything before it must be, and tables that join below it have joined. */
  async joinBelow(commitLsn: Lsn): Promise<void> {
    await this.#options.adoption?.gate();
    if (this.#isJoinDue(commitLsn)) await this.#options.adoption?.join();
  }

  throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error;
  }

  /** A transaction that was written by itself is committed. */
  noteCommitted(transactions: { count: number; commitTime: Date | null }): void {
    const { killPoint, adoption, onHealthy, onApplied } = this.#options;
    killPoint('apply-after-commit');
    adoption?.look();
    onHealthy();
    onApplied(transactions);
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
    const { target, killPoint } = this.#options;
    killPoint('apply-before-commit');
    await target.applyTransactions(transactions);
    if (positionLsn > target.appliedLsn) await target.advance(positionLsn);
    this.noteCommitted({ count: transactions.length, commitTime: transactions.at(-1)?.commitTime ?? null });
  }

  #isJoinDue(positionLsn: Lsn): boolean {
    const joinLsn = this.#options.adoption?.joinLsn ?? null;
    return joinLsn !== null && joinLsn <= positionLsn;
  }
}
