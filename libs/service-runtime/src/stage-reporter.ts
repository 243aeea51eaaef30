import { randomUUID } from 'node:crypto';
import {
  type ErrorReport,
  type Progress,
  progressMessages,
  type SluiceError,
  type StageEvent,
  stageEvents,
  type StageResult,
  type StageRun,
} from '@sluice/contracts';
import { backoffDelayMs, delay } from '@sluice/kernel';
import { type Bus, publish } from '@sluice/messaging';

/** Tells task management what becomes of a run. */
export interface StageReporter {
  started(): Promise<void>;
  running(): Promise<void>;
  recovering(error: SluiceError, attempt: number): Promise<void>;
  succeeded(result: StageResult): Promise<void>;
  failed(error: SluiceError, result?: StageResult): Promise<void>;
  stopped(): Promise<void>;
  /** Live numbers; more than one per PROGRESS_INTERVAL_MS are dropped but for the last. Never fails. */
  progress(progress: Progress): void;
}

export interface StageReporterOptions {
  readonly run: StageRun;
  readonly worker: string;
  /** Ends the attempts to report, e.g. when the run is lost: then somebody else reports. */
  readonly signal?: AbortSignal;
}

const PROGRESS_INTERVAL_MS = 500;
const REPORT_BACKOFF = { baseMs: 250, capMs: 5_000 };

type Outcome =
  | { readonly outcome: 'started' | 'running' | 'stopped' }
  | { readonly outcome: 'recovering'; readonly error: ErrorReport; readonly attempt: number }
  | { readonly outcome: 'succeeded'; readonly result: StageResult }
  | { readonly outcome: 'failed'; readonly error: ErrorReport; readonly result?: StageResult };

/** An event is stored by the bus when its promise resolves; it is tried until then, as the state machine waits for it. */
export function stageReporter(bus: Bus, options: StageReporterOptions): StageReporter {
  const report = (outcome: Outcome): Promise<void> => reportOutcome(bus, options, outcome);
  return {
    started: () => report({ outcome: 'started' }),
    running: () => report({ outcome: 'running' }),
    stopped: () => report({ outcome: 'stopped' }),
    recovering: (error, attempt) => report({ outcome: 'recovering', error: errorReport(error), attempt }),
    succeeded: (result) => report({ outcome: 'succeeded', result }),
    failed: (error, result) => report({ outcome: 'failed', error: errorReport(error), ...(result && { result }) }),
    progress: throttled(PROGRESS_INTERVAL_MS, (progress: Progress) => publishProgress(bus, options.run, progress)),
  };
}

export function errorReport(error: SluiceError): ErrorReport {
  return error.toReport();
}

async function reportOutcome(bus: Bus, { run, worker, signal }: StageReporterOptions, outcome: Outcome): Promise<void> {
  const event: StageEvent = {
    version: 1,
    eventId: randomUUID(),
    taskId: run.task.taskId,
    runId: run.runId,
    epoch: run.epoch,
    stage: run.stage,
    worker,
    at: new Date().toISOString(),
    ...outcome,
  };
  for (let attempt = 0; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      await publish(bus, stageEvents, {
        params: { taskId: event.taskId },
        payload: event,
        durable: true,
        msgId: event.eventId,
      });
      return;
    } catch (error) {
      bus.log.warn({ err: error, task_id: event.taskId, stage: event.stage }, 'event could not be reported yet');
      await delay(backoffDelayMs(attempt, REPORT_BACKOFF), signal);
    }
  }
}

async function publishProgress(bus: Bus, run: StageRun, progress: Progress): Promise<void> {
  if (!bus.isConnected) return;
  const { taskId } = run.task;
  await publish(bus, progressMessages, {
    params: { taskId },
    payload: { version: 1, taskId, epoch: run.epoch, at: new Date().toISOString(), progress },
    durable: false,
  });
}

/** Calls `send` at most once per interval, the newest value last. */
function throttled<T>(intervalMs: number, send: (value: T) => Promise<void>): (value: T) => void {
  let waiting: { value: T } | null = null;
  let isPaused = false;
  const flush = (value: T): void => {
    isPaused = true;
    // Live numbers are worth no retry: the next ones replace them.
    send(value).catch(() => undefined);
    setTimeout(() => {
      isPaused = false;
      const next = waiting;
      waiting = null;
      if (next) flush(next.value);
    }, intervalMs).unref();
  };
  return (value) => {
    if (isPaused) waiting = { value };
    else flush(value);
  };
}
