import { type DesiredState, SluiceError, type StageRunOf } from '@sluice/contracts';
import { unreachable } from '@sluice/kernel';
import { type Bus, PublisherFencedError, type RunContext } from '@sluice/messaging';
import { formatLsn, type Lsn, parseLsn } from '@sluice/model';
import { type Endpoint } from '@sluice/postgres-client';
import {
  type DesiredWatch,
  runWithRecovery,
  type StageReporter,
  watchDesired,
  type WorkAttempt,
  type WorkOutcome,
} from '@sluice/service-runtime';
import { type CellForm } from './cell-form.js';
import { readWalEnd } from './capture-source.js';
import { type CaptureSessionOptions, type SessionEnd } from './capture-session.js';
import { runCaptureSession } from './run-capture-session.js';
import { awaitSettled } from './settled-end.js';
import { type StartFrom } from './session-start.js';
import { WholePeriod } from './whole-period.js';

export interface CaptureRunOptions {
  readonly run: StageRunOf<'capture'>;
  readonly context: Pick<RunContext, 'signal' | 'log'>;
  readonly bus: Bus;
  readonly config: CaptureSessionOptions['config'];
  readonly reporter: StageReporter;
  /** The source with its credentials; asked for again in every attempt, as they may have been changed. */
  readonly loadSource: () => Promise<Endpoint>;
}

/** Reads the slot into the change stream until the task is paused or ended, through all failures that pass by themselves. */
export async function runCapture(options: CaptureRunOptions): Promise<void> {
  const { run, context, bus, reporter } = options;
  using orders = await watchDesired(bus, run, context.signal);
  const start: SessionStart = { from: 'tail', cellForm: 'any', wholeForMs: null };
  const wholePeriod = new WholePeriod(options.config.SLUICE_CAPTURE_WHOLE_MS);
  await runWithRecovery({
    run,
    context,
    reporter,
    work: (attempt) => captureWhileOrdered({ ...options, orders, attempt, start, wholePeriod }),
    classify: classifyCaptureError,
  });
}

interface SessionStart {
  from: StartFrom;
  cellForm: CellForm;
  wholeForMs: number | null;
}

interface CaptureAttempt extends CaptureRunOptions {
  readonly orders: DesiredWatch;
  readonly attempt: WorkAttempt;
  /** Kept over attempts: a rewind that was asked for is not forgotten when its session fails. */
  readonly start: SessionStart;
  readonly wholePeriod: WholePeriod;
}

async function captureWhileOrdered(options: CaptureAttempt): Promise<WorkOutcome> {
  const { orders, attempt, start } = options;
  // The order to pause ends the session like the loss of the run does; afterwards the order tells them apart.
  const pausing = new AbortController();
  const pauseWhenOrdered = (): void => {
    if (orders.current.desired === 'paused' || orders.isSuperseded) {
      pausing.abort(new DOMException('paused', 'AbortError'));
    }
  };
  const forget = orders.onChange(pauseWhenOrdered);
  pauseWhenOrdered();
  using endOrder = awaitEndOrder(options);
  try {
    for (;;) {
      const signal = AbortSignal.any([attempt.signal, pausing.signal]);
      signal.throwIfAborted();
      const end = await runSession(options, { signal, untilLsn: endOrder.untilLsn });
      if (end.kind === 'drained') {
        return { kind: 'succeeded', result: { stage: 'capture', publishedLsn: formatLsn(end.publishedLsn) } };
      }
      start.from = nextStart(end);
      if (end.kind === 'renew') {
        start.wholeForMs = null;
        options.context.log.info({}, 'transactions are sent while they run again');
      }
      if ((end.kind === 'text' || (end.kind === 'rewind' && end.needsText)) && start.cellForm !== 'text') {
        start.cellForm = 'text';
        options.context.log.info({}, 'values are sent in their text form from now on');
      }
      if (end.kind === 'rewind' && end.needsWhole) {
        start.wholeForMs = options.wholePeriod.next(Date.now());
        options.context.log.info({ period_ms: start.wholeForMs }, 'transactions are sent after their commit only');
      }
    }
  } catch (error) {
    // Whatever broke while it was being stopped no longer matters.
    if (!pausing.signal.aborted || attempt.signal.aborted) throw error;
    // A newer run of the task speaks for it; this one ends without a word.
    return orders.isSuperseded ? { kind: 'done' } : { kind: 'stopped' };
  } finally {
    forget();
  }
}

function nextStart(end: Exclude<SessionEnd, { kind: 'drained' }>): StartFrom {
  switch (end.kind) {
    case 'rewind':
      return { checkpointLsn: end.checkpointLsn };
    case 'renew':
      return { checkpointLsn: end.publishedLsn };
    case 'text':
      return 'slot';
    default:
      return unreachable(end);
  }
}

async function runSession(
  options: CaptureAttempt,
  { signal, untilLsn }: { readonly signal: AbortSignal; readonly untilLsn: Promise<Lsn> },
): Promise<SessionEnd> {
  const { run, context, bus, config, reporter, attempt, start } = options;
  return runCaptureSession({
    task: run.task,
    source: await options.loadSource(),
    bus,
    config,
    from: start.from,
    cellForm: start.cellForm,
    wholeForMs: start.wholeForMs,
    untilLsn,
    signal,
    log: context.log,
    onHealthy: () => {
      start.from = 'tail';
      attempt.onHealthy();
    },
    onProgress: (progress) => reporter.progress(progress),
  });
}

interface EndOrder extends Disposable {
  /** The LSN at which the task ends: as ordered, else where WAL ends when the order is seen. */
  readonly untilLsn: Promise<Lsn>;
}

function awaitEndOrder({ orders, loadSource, bus, run }: CaptureAttempt): EndOrder {
  const { promise, resolve, reject } = Promise.withResolvers<Lsn>();
  // Without a session at this moment nobody waits; the next one gets the failure.
  promise.catch(() => undefined);
  const stack = new DisposableStack();
  const look = ({ desired, untilLsn }: DesiredState): void => {
    if (desired !== 'ending') return;
    forget();
    // An ordered end is in force at once; the source is still asked, as that brings it beyond an end that is right now.
    if (untilLsn !== undefined) resolve(parseLsn(untilLsn));
    loadSource()
      .then(readWalEnd)
      .then(async (walEndLsn) => {
        if (untilLsn !== undefined || !run.task.incremental.ddl.enabled) return walEndLsn;
        await stack.use(awaitSettled(bus, run.task, walEndLsn)).reached;
        return readWalEnd(await loadSource());
      })
      .then(resolve, reject);
  };
  const forget = orders.onChange(look);
  look(orders.current);
  const dispose = (): void => {
    forget();
    stack.dispose();
  };
  return { untilLsn: promise, [Symbol.dispose]: dispose };
}

/** Who wrote in between is ended by the bus and by the slot; a newer run would have ended ours. So go on for ever. */
function classifyCaptureError(error: unknown): SluiceError {
  if (error instanceof PublisherFencedError) {
    return new SluiceError('SLUICE-7001', { detail: error.detail, cause: error });
  }
  if (error instanceof SluiceError) return error;
  return new SluiceError('SLUICE-9001', {
    detail: error instanceof Error ? error.name : 'unknown error',
    cause: error,
  });
}
