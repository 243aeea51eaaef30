import { SluiceError, type StageRunOf } from '@sluice/contracts';
import { type Bus, publishRun } from '@sluice/messaging';
import { formatLsn, type Lsn } from '@sluice/model';
import { type Client, type Endpoint, isConnectionLoss } from '@sluice/postgres-client';
import {
  connectTarget,
  isFinisherAtWork,
  ledgerFailure,
  type LedgerWatch,
  type OpenJoin,
  readOpenJoin,
  watchLedger,
} from '@sluice/postgres-snapshot';
import { type Logger } from '@sluice/telemetry';
import { randomUUID } from 'node:crypto';

const LOOK_INTERVAL_MS = 500;
/** The order can be lost with the bus. Doubles, as orders that nobody takes yet wait on the bus. */
const ORDER_AGAIN = { baseMs: 20_000, capMs: 320_000 };

export interface UnfinishedLoadOptions {
  readonly run: StageRunOf<'apply'>;
  readonly bus: Bus;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** What is applied and visible. */
  readonly appliedLsn: () => Lsn;
  /** The rest cannot be built, or it is not known any more. Not called while the end is awaited. */
  readonly onFailure: () => void;
}

/**
 * What a load left to be built because its tables were copied under several snapshots: foreign keys and what comes
 * after them. Once apply has passed the latest of those snapshots all tables are of one moment, and the rest is ordered.
 */
export class UnfinishedLoad implements AsyncDisposable {
  readonly #options: UnfinishedLoadOptions;
  readonly #target: Client;
  readonly #watch: LedgerWatch;
  readonly #following: Promise<void>;
  #open: OpenJoin | null;
  #failure: { readonly error: unknown } | null = null;
  #isStopped = false;
  #isAwaited = false;
  #orderAtMs = 0;
  #orders = 0;

  private constructor(options: UnfinishedLoadOptions, session: { target: Client; watch: LedgerWatch; open: OpenJoin }) {
    this.#options = options;
    this.#target = session.target;
    this.#watch = session.watch;
    this.#open = session.open;
    this.#following = this.#follow().catch((error: unknown) => {
      if (this.#isStopped) return;
      this.#failure = { error };
      if (!this.#isAwaited) options.onFailure();
    });
  }

  /** `null` when the load is finished. */
  static async open(endpoint: Endpoint, options: UnfinishedLoadOptions): Promise<UnfinishedLoad | null> {
    const { epoch, task } = options.run;
    const target = await connectTarget(endpoint, { applicationName: `finish-load ${task.taskId}` });
    try {
      const open = await readOpenJoin(target, task.taskId, epoch);
      if (open) return new UnfinishedLoad(options, { target, watch: await watchLedger(target, task.taskId), open });
    } catch (error) {
      await target.end().catch(() => undefined);
      throw lookFailed(error);
    }
    await target.end();
    return null;
  }

  /** For the end of the changes: resolves when nothing remains, or cannot be built, or the signal is aborted. */
  async untilFinished(signal: AbortSignal): Promise<void> {
    this.#isAwaited = true;
    if (this.#endsTooEarly || signal.aborted) return;
    const stopped = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => stopped.resolve(), { once: true });
    await Promise.race([this.#following, stopped.promise]);
  }

  /**
   * Why the task cannot go on or end; `null` when nothing stands in the way.
   * @throws what kept it from being known.
   */
  verdict(end: 'final' | 'stopped'): SluiceError | null {
    if (this.#failure) {
      const { error } = this.#failure;
      if (error instanceof StepFailed) return error.failure;
      throw lookFailed(error);
    }
    if (end === 'stopped' || !this.#open || !this.#endsTooEarly) return null;
    const detail = `changes end at ${formatLsn(this.#options.appliedLsn())}, all tables are of one moment from ${formatLsn(this.#open.joinLsn)} on`;
    return new SluiceError('SLUICE-5012', { detail });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await this.#target.end().catch(() => undefined);
    await this.#following;
  }

  get #endsTooEarly(): boolean {
    return this.#open !== null && this.#options.appliedLsn() < this.#open.joinLsn;
  }

  async #follow(): Promise<void> {
    const { run, appliedLsn } = this.#options;
    const { taskId } = run.task;
    while (!this.#isStopped) {
      this.#open = await readOpenJoin(this.#target, taskId, run.epoch);
      if (!this.#open) return;
      if (this.#open.error) throw new StepFailed(ledgerFailure(this.#open.error));
      const isDue = appliedLsn() >= this.#open.joinLsn && Date.now() >= this.#orderAtMs;
      if (isDue && !(await isFinisherAtWork(this.#target, taskId))) await this.#order();
      await this.#watch.next(LOOK_INTERVAL_MS);
    }
  }

  async #order(): Promise<void> {
    const { bus, log, run } = this.#options;
    const { epoch, task } = run;
    this.#orderAtMs = Date.now() + Math.min(ORDER_AGAIN.capMs, ORDER_AGAIN.baseMs * 2 ** this.#orders);
    try {
      await publishRun(
        bus,
        { version: 1, runId: randomUUID(), epoch, task, stage: 'finish-load' },
        { msgId: `finish-load:${task.taskId}:${epoch}:${this.#orders}` },
      );
      this.#orders += 1;
      log.info('all tables are of one moment: the rest of the load is ordered');
    } catch (error) {
      this.#orderAtMs = 0;
      log.warn({ err: error }, 'the rest of the load could not be ordered yet');
    }
  }
}

function lookFailed(error: unknown): SluiceError {
  const detail = `what remains of the load: ${error instanceof Error ? error.message : String(error)}`;
  return new SluiceError(isConnectionLoss(error) ? 'SLUICE-1012' : 'SLUICE-9001', { detail, cause: error });
}

/** A worker gave up after its own retries; another one here is of no use. */
class StepFailed extends Error {
  override readonly name = 'StepFailed';

  constructor(readonly failure: SluiceError) {
    super(failure.message);
  }
}
