import { assert, present } from '@sluice/kernel';
import { type Lsn, ZERO_LSN } from '@sluice/model';
import {
  type FrameRun,
  type LockWatch,
  type StreamedTransaction,
  StreamedUnfit,
  type TransactionPart,
} from '@sluice/postgres-writer';
import { type BatchHeader } from './stream-continuity.js';
import { LockPatience } from './lock-patience.js';

/** Changes of a running transaction are gathered up to this before they are written: enough to fold well. */
const PART_BYTES = 1 * 1024 * 1024;
/** Changes of all of them that may wait here for what they must follow (I7). */
const WAITING_BYTES_MAX = 3 * 1024 * 1024;

export interface RunningTransactionsOptions {
  readonly begin: (xid: number) => Promise<StreamedTransaction>;
  readonly watchLocks: () => Promise<LockWatch>;
  /** The session that writes what has committed. */
  readonly mainPid: () => number;
  /** So many may be written at the same time. */
  readonly countMax: number;
}

type Step =
  | { readonly kind: 'part'; readonly part: TransactionPart; readonly positionLsn: Lsn }
  | { readonly kind: 'abort'; readonly subxid: number; readonly positionLsn: Lsn };

interface Running {
  readonly xid: number;
  /** Bytes of a frame that goes on in the next batch. */
  partial: Buffer[];
  runs: FrameRun[];
  runBytes: number;
  readonly steps: Step[];
  transaction: StreamedTransaction | null;
  /** What of it is being written. Never rejects. */
  working: Promise<void> | null;
}

/**
 * Transactions that still run at the source, each written on a connection of its own.
 *
 * Maintained invariant: a change is written only when everything that committed before it in the stream is committed on the
 * target. Nothing of them is of use once this is gone: capture sends them again from their beginning.
 */
export class RunningTransactions {
  readonly #options: RunningTransactionsOptions;
  readonly #running = new Map<number, Running>();
  readonly #patience: LockPatience;
  /** Came from before our position: applied already, or to be sent again. */
  readonly #passed = new Set<number>();
  #waitingBytes = 0;
  #appliedLsn: Lsn = ZERO_LSN;
  #failure: Error | null = null;

  constructor(options: RunningTransactionsOptions) {
    this.#options = options;
    this.#patience = new LockPatience({
      watchLocks: options.watchLocks,
      backendPids: () => ({
        main: options.mainPid(),
        running: [...this.#running.values()].flatMap(({ transaction }) => transaction?.backendPid ?? []),
      }),
      onExhausted: () => this.#fail(new StreamedUnfit('locks are waited for')),
    });
  }

  /** What the first of them failed with that did. */
  get failure(): Error | null {
    return this.#failure;
  }

  has(xid: number): boolean {
    return this.#running.has(xid);
  }

  /**
   * Takes a batch of one of them. False when its begin did not come, so that it has to be sent again.
   * @param positionLsn the end of what has committed before it in the stream.
   */
  accept(
    batch: Pick<BatchHeader, 'streamed' | 'isPartial' | 'watermarkLsn'>,
    payload: Uint8Array,
    positionLsn: Lsn,
  ): boolean {
    assert(batch.streamed, 'a batch of a running transaction');
    const { xid, isFirst } = batch.streamed;
    if (batch.watermarkLsn < positionLsn) {
      this.#passed.add(xid);
      return true;
    }
    if (!isFirst && !this.#running.has(xid)) return false;
    const running = this.#running.get(xid) ?? this.#add(xid);
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    if (batch.isPartial) {
      running.partial.push(bytes);
      return true;
    }
    const buffer = running.partial.length > 0 ? Buffer.concat([...running.partial, bytes]) : bytes;
    running.partial = [];
    running.runs.push({ buffer, start: 0, end: buffer.length });
    running.runBytes += buffer.length;
    if (running.runBytes >= PART_BYTES) this.#enqueuePart(running, positionLsn);
    return true;
  }

  /** Begins to write what may be written now that the target has everything up to `appliedLsn`. */
  pump(appliedLsn: Lsn): void {
    this.#appliedLsn = appliedLsn;
    for (const running of this.#running.values()) this.#start(running);
  }

  get isFull(): boolean {
    return this.#waitingBytes > WAITING_BYTES_MAX;
  }

  /** Waits until little enough waits; what committed before it must have been applied. */
  async makeRoom(appliedLsn: Lsn): Promise<void> {
    this.pump(appliedLsn);
    while (this.isFull && !this.#failure) {
      const working = [...this.#running.values()].flatMap((running) => running.working ?? []);
      if (working.length === 0) return;
      await Promise.race(working);
      this.pump(appliedLsn);
    }
  }

  /** What it did since the begin of `subxid` is void; all of it where that is `xid`. */
  async abort({ xid, subxid }: { xid: number; subxid: number }, positionLsn: Lsn): Promise<void> {
    this.#passed.delete(xid);
    const running = this.#running.get(xid);
    if (!running) return;
    if (xid === subxid) {
      await this.#drop(running);
      return;
    }
    this.#enqueuePart(running, positionLsn);
    running.steps.push({ kind: 'abort', subxid, positionLsn });
  }

  /**
   * Writes what is left of it and commits it. Everything that committed before it must have been applied.
   * @returns false when that failed, see `failure`.
   */
  async commit(xid: number, end: { endLsn: Lsn; commitTime: Date }, appliedLsn: Lsn): Promise<boolean> {
    const running = this.#running.get(xid);
    assert(running, 'a running transaction ends that did not begin');
    this.pump(appliedLsn);
    this.#enqueuePart(running, this.#appliedLsn);
    for (this.#start(running); running.working; this.#start(running)) await running.working;
    if (this.#failure) return false;
    assert(running.steps.length === 0, 'a running transaction waits for what is not applied before its commit');
    try {
      await (await this.#open(running)).commit(end);
    } catch (error) {
      this.#fail(error);
      return false;
    }
    await this.#drop(running);
    return true;
  }

  /** Rolls all of them back. */
  async abandon(): Promise<void> {
    const busy = [...this.#running.values()].filter(({ working }) => working !== null);
    // Order: one that waits for a lock does not see that its client is gone, and would keep those that it has.
    await this.#patience.endSessions(busy.flatMap(({ transaction }) => transaction?.backendPid ?? []));
    await Promise.all([...this.#running.values()].map((running) => this.#drop(running)));
    this.#passed.clear();
    this.#failure = null;
  }

  #add(xid: number): Running {
    const running: Running = { xid, partial: [], runs: [], runBytes: 0, steps: [], transaction: null, working: null };
    this.#running.set(xid, running);
    if (this.#running.size > this.#options.countMax)
      this.#fail(new StreamedUnfit('more transactions than connections'));
    this.#patience.begin();
    return running;
  }

  #enqueuePart(running: Running, positionLsn: Lsn): void {
    if (running.runs.length === 0) return;
    // It commits behind what has committed until now.
    const part = { commitLsn: positionLsn, runs: running.runs, sizeBytes: running.runBytes };
    running.steps.push({ kind: 'part', part, positionLsn });
    this.#waitingBytes += running.runBytes;
    running.runs = [];
    running.runBytes = 0;
  }

  #start(running: Running): void {
    if (running.working || !this.#isDue(running)) return;
    running.working = this.#work(running).finally(() => {
      running.working = null;
    });
  }

  #isDue({ steps: [next] }: Running): boolean {
    return next !== undefined && this.#failure === null && next.positionLsn <= this.#appliedLsn;
  }

  async #work(running: Running): Promise<void> {
    try {
      while (this.#isDue(running)) {
        const step = present(running.steps.shift(), 'the step that is due');
        const transaction = await this.#open(running);
        if (step.kind === 'abort') await transaction.abortSubtransaction(step.subxid);
        else await transaction.write(step.part).finally(() => this.#forget(step));
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  async #open(running: Running): Promise<StreamedTransaction> {
    running.transaction ??= await this.#options.begin(running.xid);
    return running.transaction;
  }

  async #drop(running: Running): Promise<void> {
    this.#running.delete(running.xid);
    for (const step of running.steps.splice(0)) this.#forget(step);
    await running.transaction?.[Symbol.asyncDispose]();
    // What was under way may have opened its connection only now.
    await running.working;
    await running.transaction?.[Symbol.asyncDispose]();
    if (this.#running.size === 0) await this.#patience.end();
  }

  #forget(step: Step): void {
    if (step.kind === 'part') this.#waitingBytes -= step.part.sizeBytes;
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
  }
}
