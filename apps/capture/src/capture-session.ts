import { randomUUID } from 'node:crypto';
import { type Progress, type SlotHealth, type TaskSpec } from '@sluice/contracts';
import { abortReason, deferred } from '@sluice/kernel';
import { type Bus, type ChangePublisher } from '@sluice/messaging';
import { formatLsn, type Lsn, maxLsn, ZERO_LSN } from '@sluice/model';
import { type Endpoint } from '@sluice/postgres-client';
import { type Keepalive, type WalStream } from '@sluice/postgres-replication';
import { type Logger } from '@sluice/telemetry';
import { BatchAssembler } from './batch-assembler.js';
import { BatchPublisher } from './batch-publisher.js';
import { type Batch } from './batch.js';
import { type CaptureConfig } from './capture.config.js';
import { type CellForm, type SessionCells } from './cell-form.js';
import { type PreparedSource } from './capture-source.js';
import { serveClock } from './clock-service.js';
import { Feedback } from './feedback.js';
import { ReadThrough } from './read-through.js';
import { Renewal } from './renewal.js';
import { listenForRewind, type Rewind } from './rewind.js';
import { publishSequences } from './sequence-publisher.js';
import { type StartFrom } from './session-start.js';
import { type SourceClock } from './source-clock.js';
import { type Sight, type SourceWatch } from './source-watch.js';
import { tracedPublisher } from './traced-publisher.js';

/**
 * `drained`: everything up to the ordered end is durable on the target. `rewind`: apply needs changes again.
 * `text`: values must be sent as text. `renew`: transactions may be sent while they run again.
 */
export type SessionEnd =
  | { readonly kind: 'drained'; readonly publishedLsn: Lsn }
  | ({ readonly kind: 'rewind' } & Rewind)
  | { readonly kind: 'text' }
  | { readonly kind: 'renew'; readonly publishedLsn: Lsn };

export interface CaptureSessionOptions {
  readonly task: TaskSpec;
  readonly source: Endpoint;
  readonly bus: Bus;
  readonly config: Pick<
    CaptureConfig,
    | 'SLUICE_CAPTURE_STATUS_INTERVAL_MS'
    | 'SLUICE_CAPTURE_IDLE_WATERMARK_MS'
    | 'SLUICE_CAPTURE_COVERAGE_INTERVAL_MS'
    | 'SLUICE_CAPTURE_WINDOW_BYTES'
    | 'SLUICE_CHANGES_MAX_BYTES'
    | 'SLUICE_CAPTURE_WHOLE_MS'
  >;
  readonly from: StartFrom;
  /** Default: any. */
  readonly cellForm?: CellForm;
  /** Transactions are sent after their commit only, for so long. Default: large ones also before, where that is possible. */
  readonly wholeForMs?: number | null;
  /** Resolves with the LSN at which the task ends, once that is ordered. */
  readonly untilLsn: Promise<Lsn>;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** The first batch is on the bus. */
  readonly onHealthy: () => void;
  readonly onProgress: (progress: Progress) => void;
}

/** Progress is live information for people; idle positions are looked at as often. */
const TICK_MS = 1_000;
/** While the task ends, the source is asked so often how far it has come. */
const DRAIN_POLL_MS = 100;
/** An open transaction is of no use to apply before it ends, but for a large one, which is passed on in pieces of this size. */
const OPEN_TRANSACTION_PIECE_BYTES = 128 * 1024;
/** What is read committed longer ago than this, or has not committed: the source is read for throughput, as nobody waits for 10 ms more. */
const BEHIND_MS = 100;

export interface SessionParts {
  readonly publisher: ChangePublisher;
  readonly stream: WalStream;
  readonly cells: SessionCells;
  readonly watch: SourceWatch;
  readonly clock: SourceClock;
  readonly startLsn: Lsn;
  readonly prepared: PreparedSource;
  /** Aborted when the session is over, too. */
  readonly signal: AbortSignal;
}

/**
 * Maintained invariants: what is read goes to the bus in the source's order under one session id; reading stops while the
 * publish window is full, reports to the source never do (I7); only `Feedback` confirms (I1).
 */
export class CaptureSession {
  readonly #options: CaptureSessionOptions;
  readonly #stream: WalStream;
  readonly #cells: SessionCells;
  readonly #watch: SourceWatch;
  readonly #clock: SourceClock;
  readonly #readThrough = new ReadThrough();
  readonly #signal: AbortSignal;
  readonly #session = randomUUID();
  readonly #startLsn: Lsn;
  readonly #assembler: BatchAssembler;
  readonly #batches: BatchPublisher;
  readonly #feedback: Feedback;
  readonly #drained = deferred<SessionEnd>();
  /** The look at the end of the task; `null` before it. */
  #lastLook: Promise<void> | null = null;
  #isCovered = false;
  #publishedLsn: Lsn;
  #transactionLsn: Lsn;
  #slot: { readonly health: SlotHealth; readonly retainedBytes: number } | null = null;
  /** The source's own position while nothing was open: everything below it has been sent. */
  #idleLsn: Lsn = ZERO_LSN;
  #watermarkAtMs = Date.now();
  #untilLsn: Lsn | null = null;
  #finalLsn: Lsn | null = null;
  #isFinalStored = false;
  readonly #renewal: Renewal;

  constructor(
    options: CaptureSessionOptions,
    { publisher, stream, cells, watch, clock, startLsn, prepared, signal }: SessionParts,
  ) {
    this.#options = options;
    this.#renewal = new Renewal(options.wholeForMs ?? null);
    this.#stream = stream;
    this.#cells = cells;
    this.#watch = watch;
    this.#clock = clock;
    this.#signal = signal;
    this.#startLsn = startLsn;
    this.#publishedLsn = startLsn;
    this.#transactionLsn = startLsn;
    this.#onSight(prepared.sight);
    this.#assembler = new BatchAssembler(startLsn, (batch) => this.#publish(batch), cells.check);
    this.#batches = new BatchPublisher(cells.mark(tracedPublisher(publisher, options.task.taskId)), {
      session: this.#session,
      slotLsn: prepared.slotConfirmedLsn,
      source: stream.source,
      sourceNowMs: () => clock.nowMs(),
      windowBytes: options.config.SLUICE_CAPTURE_WINDOW_BYTES,
      onStored: (batch) => this.#onStored(batch),
    });
    this.#feedback = new Feedback(options.bus, {
      task: options.task,
      startLsn,
      stream,
      onAdvance: () => this.#settleWhenDurable(),
    });
  }

  async run(): Promise<SessionEnd> {
    const { bus, task, log, untilLsn, signal } = this.#options;
    using rewind = listenForRewind(bus, { taskId: task.taskId, session: this.#session });
    using _clock = serveClock(bus, task.taskId, this.#clock);
    const tick = setInterval(() => this.#onTick(), TICK_MS);
    const poll = setInterval(() => this.#pollWhileEnding(), DRAIN_POLL_MS);
    try {
      log.info({ session: this.#session, lsn: formatLsn(this.#startLsn) }, 'capture session started');
      this.#assembler.announce();
      const ended = untilLsn.then((lsn) => this.#endAt(lsn));
      // An end that is ordered already must be in force before the first row is looked at.
      await Promise.resolve();
      return await Promise.race([
        this.#read(signal),
        this.#batches.failed,
        this.#watchSource(),
        this.#drained.promise,
        rewind.requested.then((wanted): SessionEnd => ({ kind: 'rewind', ...wanted })),
        this.#cells.textNeeded.then((): SessionEnd => ({ kind: 'text' })),
        ended.then(() => this.#drained.promise),
      ]);
    } finally {
      clearInterval(tick);
      clearInterval(poll);
      this.#reportProgress();
      this.#feedback[Symbol.dispose]();
    }
  }

  async #read(signal: AbortSignal): Promise<never> {
    await this.#stream.read({
      changes: (run) => this.#assembler.append(run),
      keepalive: (keepalive) => this.#onKeepalive(keepalive),
      exhausted: () => this.#onExhausted(),
    });
    throw abortReason(signal);
  }

  #publish(batch: Batch): void {
    this.#batches.publish(batch);
    if (this.#batches.isFull) this.#stream.pause();
  }

  #onStored(batch: Batch): void {
    this.#options.onHealthy();
    if (batch.watermarkLsn > batch.previousLsn) this.#watermarkAtMs = Date.now();
    this.#publishedLsn = batch.watermarkLsn;
    if (batch.newest) {
      this.#transactionLsn = batch.newest.endLsn;
      this.#readThrough.committed(batch.newest.commitTimeMs);
    }
    this.#feedback.published(batch.watermarkLsn, batch.endsLarge);
    if (batch.isFinal) {
      this.#isFinalStored = true;
      // The target may have been there before the end was ordered: then no report makes a difference any more.
      this.#settleWhenDurable();
    }
    if (this.#batches.hasRoom) this.#stream.resume();
    this.#flushWhenUseful();
    this.#renewWhenDue();
  }

  #onExhausted(): void {
    const { readCommitMs } = this.#assembler;
    const nowMs = this.#clock.nowMs();
    this.#stream.isBehind = readCommitMs === null || (nowMs !== null && nowMs - readCommitMs > BEHIND_MS);
    this.#flushWhenUseful();
    this.#finishWhenDrained();
  }

  /** No linger while the bus is idle; while it is busy, changes gather by themselves. */
  #flushWhenUseful(): void {
    const { bufferedBytes, isTransactionOpen } = this.#assembler;
    if (!this.#batches.isIdle) return;
    if (!isTransactionOpen || bufferedBytes >= OPEN_TRANSACTION_PIECE_BYTES) this.#assembler.flush();
  }

  #onKeepalive({ walEnd, isReplyRequested }: Keepalive): void {
    // During a transaction the position lies before its commit and says nothing.
    if (this.#assembler.isTransactionOpen) return;
    this.#idleLsn = maxLsn(this.#idleLsn, walEnd);
    // A source that shuts down asks until its last record is confirmed.
    if (isReplyRequested && Date.now() - this.#watermarkAtMs >= TICK_MS) this.#passOnIdlePosition();
  }

  #passOnIdlePosition(): void {
    if (this.#finalLsn !== null || this.#untilLsn !== null) return;
    if (this.#assembler.advanceWatermark(this.#idleLsn)) this.#watermarkAtMs = Date.now();
  }

  #onTick(): void {
    const { config } = this.#options;
    if (Date.now() - this.#watermarkAtMs >= config.SLUICE_CAPTURE_IDLE_WATERMARK_MS) this.#passOnIdlePosition();
    this.#reportProgress();
    this.#renewWhenDue();
  }

  /** At a moment when everything that was read is on the bus, so that the next session goes on there. */
  #renewWhenDue(): void {
    const { bufferedBytes, isTransactionOpen } = this.#assembler;
    const isQuiet = !isTransactionOpen && bufferedBytes === 0 && this.#batches.isEmpty;
    if (!isQuiet || this.#untilLsn !== null || !this.#renewal.isDue(this.#readPositionLsn())) return;
    this.#drained.resolve({ kind: 'renew', publishedLsn: this.#publishedLsn });
  }

  #reportProgress(): void {
    const nowMs = this.#clock.nowMs();
    this.#readThrough.reached(this.#readPositionLsn());
    this.#options.onProgress({
      kind: 'capture',
      publishedLsn: formatLsn(this.#publishedLsn),
      confirmedLsn: formatLsn(this.#feedback.confirmedLsn),
      retainedBytes: this.#slot?.retainedBytes ?? 0,
      transactions: this.#assembler.transactionCount,
      changes: this.#assembler.changeCount,
      transactionLsn: formatLsn(this.#transactionLsn),
      sourceTime: isoTime(nowMs),
      readThrough: isoTime(nowMs === null ? null : this.#readThrough.at(nowMs)),
      clockOffsetMs: this.#clock.offsetMs,
      slot: this.#slot?.health ?? null,
      heartbeats: this.#watch.heartbeatCount,
    });
  }

  /** Everything that committed below it is on the bus. */
  #readPositionLsn(): Lsn {
    const { bufferedBytes, isTransactionOpen, watermarkLsn } = this.#assembler;
    const isQuiet = !isTransactionOpen && bufferedBytes === 0 && watermarkLsn === this.#publishedLsn;
    return isQuiet ? maxLsn(this.#publishedLsn, this.#idleLsn) : this.#publishedLsn;
  }

  #onSight({ facts, slot, health }: Sight): void {
    this.#slot = { health, retainedBytes: slot.retainedBytes };
    this.#readThrough.saw(facts.walEndLsn, this.#clock.nowMs() ?? Date.now());
    this.#renewal.saw(facts);
  }

  #endAt(untilLsn: Lsn): void {
    this.#options.log.info({ lsn: formatLsn(untilLsn) }, 'capture ends at');
    this.#untilLsn = untilLsn;
    this.#assembler.stopAt(untilLsn);
    this.#pollWhileEnding();
  }

  #pollWhileEnding(): void {
    if (this.#untilLsn === null || this.#finalLsn !== null) return;
    this.#finishWhenDrained();
    this.#stream.requestKeepalive();
  }

  /** Every transaction below the end has come when one above it came, or when the source's idle position is beyond. */
  #finishWhenDrained(): void {
    if (this.#untilLsn === null || this.#finalLsn !== null || this.#assembler.isTransactionOpen) return;
    if (!this.#assembler.isDrained && this.#idleLsn < this.#untilLsn) return;
    if (this.#isCovered) this.#finalLsn = this.#assembler.finish(this.#untilLsn);
    else this.#lookBeforeFinal();
  }

  /** Here every table that was created below the end is there to be seen, and the target is not told of the end yet. */
  #lookBeforeFinal(): void {
    this.#lastLook ??= this.#watch
      .lookOnce()
      .then(() => {
        this.#isCovered = true;
        this.#finishWhenDrained();
      })
      .catch((error: Error) => this.#drained.reject(error));
  }

  async #watchSource(): Promise<SessionEnd> {
    const { bus, config, log, task } = this.#options;
    try {
      return await this.#watch.watch({
        intervalMs: config.SLUICE_CAPTURE_COVERAGE_INTERVAL_MS,
        sequenceIntervalMs: task.incremental.sequenceIntervalMs,
        signal: this.#signal,
        log,
        onSight: (sight) => this.#onSight(sight),
        onSequences: (states) => publishSequences(bus, task.taskId, states),
        stream: () => ({
          transactionCount: this.#assembler.transactionCount,
          isOutstanding: this.#feedback.confirmedLsn < this.#publishedLsn,
        }),
      });
    } catch (error) {
      // What is created after the end of the task is not its matter any more.
      if (this.#finalLsn !== null) return this.#drained.promise;
      throw error;
    }
  }

  /** The end: the target has everything, and the slot is told so. */
  #settleWhenDurable(): void {
    if (this.#finalLsn === null || !this.#isFinalStored || this.#feedback.confirmedLsn < this.#finalLsn) return;
    this.#drained.resolve({ kind: 'drained', publishedLsn: this.#finalLsn });
  }
}

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
