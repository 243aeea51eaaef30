import { SluiceError, type StageResult, type StageRun } from '@sluice/contracts';
import { abortReason, backoffDelayMs, delay, unreachable } from '@sluice/kernel';
import { type RunContext } from '@sluice/messaging';
import { type StageReporter } from './stage-reporter.js';

/** How a stage's work ended. */
export type WorkOutcome =
  | { readonly kind: 'succeeded'; readonly result: StageResult }
  /** It ran to its end and the answer is no (connection test, precheck): reported once, never retried. */
  | { readonly kind: 'failed'; readonly error: SluiceError; readonly result?: StageResult }
  /** As ordered: paused or ended by somebody. */
  | { readonly kind: 'stopped' }
  /** An item of the coordinator is done; what it did stands in the databases, no event is needed. */
  | { readonly kind: 'done' };

/** One attempt at a stage's work. */
export interface WorkAttempt {
  readonly signal: AbortSignal;
  /** 0 for the first since the work was last healthy. */
  readonly attempt: number;
  /** Tells that the work goes well: ends a spell of recovering, and the count of attempts begins anew. */
  onHealthy(): void;
}

export interface RunWithRecoveryOptions {
  readonly run: StageRun;
  readonly context: Pick<RunContext, 'signal' | 'log'>;
  readonly reporter: StageReporter;
  readonly work: (attempt: WorkAttempt) => Promise<WorkOutcome>;
  /** The catalogued form of what the work threw; the default keeps a SluiceError and makes everything else 9001. */
  readonly classify?: (error: unknown) => SluiceError;
  /** False for short items given out by a coordinator: only `failed` is reported. Default true. */
  readonly reportsLife?: boolean;
  /** Replaces the pauses between attempts in tests. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const RETRY_BACKOFF = { baseMs: 500, capMs: 15_000 };
/** Retries of errors that are not expected to heal by themselves. */
const LIMITED_RETRIES_MAX = 3;
/** Attempts of one spell after which it is logged louder. */
const WARN_ATTEMPT = 3;
const ERROR_ATTEMPT = 10;

/**
 * The one place where a stage retries. Resolves when the end of the run was reported, which is when its message is acked.
 * Rejects with the signal's reason when that is aborted: then nothing is reported, as another worker takes the run.
 */
export async function runWithRecovery(options: RunWithRecoveryOptions): Promise<void> {
  const { context, reporter, reportsLife = true } = options;
  const { signal, log } = context;
  const spell = new RecoverySpell(options);
  if (reportsLife) await reporter.started();
  for (;;) {
    signal.throwIfAborted();
    const attempt = spell.attempt;
    let failure: SluiceError;
    try {
      const outcome = await options.work({ signal, attempt, onHealthy: () => spell.end() });
      // Work that only ended because it was told to has not reached its end.
      if (signal.aborted && outcome.kind !== 'succeeded') throw abortReason(signal);
      await spell.settled();
      await reportEnd(reporter, outcome);
      return;
    } catch (error) {
      if (signal.aborted) throw abortReason(signal);
      failure = (options.classify ?? classifyByDefault)(error);
      logFailure(log, failure, spell.attempt);
    }
    if (!spell.mayRetry(failure)) {
      await spell.settled();
      await reporter.failed(failure);
      return;
    }
    await spell.begin(failure);
    await (options.pause ?? delay)(backoffDelayMs(spell.attempt - 1, RETRY_BACKOFF), signal);
  }
}

/**
 * A time in which the work does not go well: `recovering` is said at its beginning and when the cause becomes another one,
 * `running` at its end.
 */
class RecoverySpell {
  readonly #options: RunWithRecoveryOptions;
  #attempt = 0;
  /** Said last; `null` while all is well. */
  #saidCause: SluiceError['code'] | null = null;
  #saidRunning = false;
  #reports: Promise<void> = Promise.resolve();

  constructor(options: RunWithRecoveryOptions) {
    this.#options = options;
  }

  get attempt(): number {
    return this.#attempt;
  }

  mayRetry({ spec }: SluiceError): boolean {
    switch (spec.retry) {
      case 'backoff':
        return true;
      case 'limited':
        return this.#attempt < LIMITED_RETRIES_MAX;
      case 'manual':
        return false;
      default:
        return unreachable(spec.retry);
    }
  }

  async begin(error: SluiceError): Promise<void> {
    this.#attempt += 1;
    if (this.#saidCause !== error.code) {
      this.#saidCause = error.code;
      const attempt = this.#attempt;
      this.#report((reporter) => reporter.recovering(error, attempt));
    }
    await this.settled();
  }

  end(): void {
    this.#attempt = 0;
    if (this.#saidRunning && this.#saidCause === null) return;
    this.#saidCause = null;
    this.#saidRunning = true;
    this.#report((reporter) => reporter.running());
  }

  /** Reports leave in order; the end of the run must not overtake what was said before it. */
  settled(): Promise<void> {
    return this.#reports;
  }

  #report(send: (reporter: StageReporter) => Promise<void>): void {
    if (this.#options.reportsLife === false) return;
    const { reporter, context } = this.#options;
    this.#reports = this.#reports
      .then(() => send(reporter))
      .catch((error: unknown) => context.log.warn({ err: error }, 'state of the run could not be reported'));
  }
}

async function reportEnd(reporter: StageReporter, outcome: WorkOutcome): Promise<void> {
  switch (outcome.kind) {
    case 'succeeded':
      return reporter.succeeded(outcome.result);
    case 'failed':
      return reporter.failed(outcome.error, outcome.result);
    case 'stopped':
      return reporter.stopped();
    case 'done':
      return;
    default:
      return unreachable(outcome);
  }
}

function logFailure(log: RunContext['log'], error: SluiceError, attempt: number): void {
  const level =
    attempt >= ERROR_ATTEMPT || error.spec.retry === 'manual' ? 'error' : attempt >= WARN_ATTEMPT ? 'warn' : 'info';
  log[level]({ err: error, attempt }, 'stage attempt failed');
}

function classifyByDefault(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  return new SluiceError('SLUICE-9001', {
    detail: error instanceof Error ? error.name : 'unknown error',
    cause: error,
  });
}
