import { type Msg } from '@nats-io/nats-core';
import { RUNS_STREAM, type Stage, StageRun, type StageRunOf } from '@sluice/contracts';
import { abortReason, backoffDelayMs, delay } from '@sluice/kernel';
import { extractContext, type Logger, withSpan } from '@sluice/telemetry';
import { parseAckSubject } from './ack-subject.js';
import { type Bus } from './bus.js';
import { invalidMessage } from './bus-error.js';
import { type Decoded, decodeMessage } from './decode.js';
import { pullLoop } from './pull-loop.js';
import { RunLease } from './run-lease.js';
import { runConsumerName } from './topology.js';
import { headerCarrier } from './trace-headers.js';

export interface RunContext {
  /** Aborted when the process stops (AbortError) or the run is lost (RunLostError). A handler that stops for it must reject. */
  readonly signal: AbortSignal;
  readonly taskId: string;
  readonly runId: string;
  readonly epoch: number;
  /** True when another worker may have begun this run. */
  readonly redelivered: boolean;
  readonly log: Logger;
  /** Sets after how long the run is handed out again if the handler rejects. Without it: backoff by the number of deliveries. */
  nakDelay(delayMs: number): void;
}

export interface ConsumeRunsOptions<S extends Stage> {
  readonly stage: S;
  /** Runs that this process works on at the same time. */
  readonly concurrency: number;
  /** Resolves when the run is finished for good (its end was reported); rejects to give it back. */
  readonly handle: (run: StageRunOf<S>, context: RunContext) => Promise<void>;
  readonly signal: AbortSignal;
  readonly log?: Logger;
}

/** What a handler has after the order to stop; the whole shutdown has 10 s (I10). */
const STOP_GRACE_MS = 8_000;
const NAK_BACKOFF = { baseMs: 500, capMs: 15_000 };

/** Works on the runs of a stage until the signal is aborted; resolves when every one of them is acked or given back. */
export function consumeRuns<S extends Stage>(bus: Bus, options: ConsumeRunsOptions<S>): Promise<void> {
  const { stage, concurrency, signal } = options;
  const log = (options.log ?? bus.log).child({ stage });
  return pullLoop(bus, {
    stream: RUNS_STREAM.name,
    consumer: runConsumerName(stage),
    slots: concurrency,
    signal,
    log,
    ensureConsumer: () => bus.ensureTopology(),
    onMessage: (message) => workOn(bus, message, { ...options, log }),
  });
}

async function workOn<S extends Stage>(
  bus: Bus,
  message: Msg,
  options: ConsumeRunsOptions<S> & { readonly log: Logger },
): Promise<void> {
  using lease = new RunLease(bus, message);
  const decoded = decodeRun(message, options.stage);
  if (!decoded.ok) {
    options.log.error({ err: decoded.error }, 'run refused');
    lease.terminate();
    return;
  }
  const run = decoded.value;
  const log = options.log.child({ task_id: run.task.taskId, run_id: run.runId, epoch: run.epoch });
  const { deliveryCount } = parseAckSubject(message.reply ?? '');
  let nakDelayMs = backoffDelayMs(Math.max(0, deliveryCount - 1), NAK_BACKOFF);
  const context: RunContext = {
    signal: lease.signal,
    taskId: run.task.taskId,
    runId: run.runId,
    epoch: run.epoch,
    redelivered: deliveryCount > 1,
    log,
    nakDelay: (delayMs) => {
      nakDelayMs = delayMs;
    },
  };
  const work = inRunSpan(message, run, () => options.handle(run, context)).then(
    () => ({ kind: 'done' }) as const,
    (error: unknown) => ({ kind: 'failed', error }) as const,
  );
  const outcome = await orStopped(work, lease, options.signal);
  if (lease.isLost) log.warn({ err: lease.signal.reason }, 'run lost');
  else if (outcome.kind === 'done') {
    if (!(await lease.ack())) log.warn('end of the run could not be acked; it will be handed out again');
  } else {
    // A stopping process gives its runs back at once; nothing is wrong with them.
    lease.nak(options.signal.aborted ? 0 : nakDelayMs);
    if (!options.signal.aborted) log.error({ err: outcome.error }, 'run given back');
  }
}

type Outcome = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly error: unknown };

/** The work's outcome; after an order to stop it has STOP_GRACE_MS. */
async function orStopped(work: Promise<Outcome>, lease: RunLease, signal: AbortSignal): Promise<Outcome> {
  const settled = new AbortController();
  const onStop = (): void => lease.abort(new DOMException('the process stops', 'AbortError'));
  if (signal.aborted) onStop();
  signal.addEventListener('abort', onStop, { once: true });
  const outOfTime = new Promise<Outcome>((resolve) => {
    const wait = (): void => {
      delay(STOP_GRACE_MS, settled.signal).then(
        () => resolve({ kind: 'failed', error: abortReason(lease.signal) }),
        () => undefined,
      );
    };
    if (lease.signal.aborted) wait();
    else lease.signal.addEventListener('abort', wait, { once: true });
  });
  try {
    return await Promise.race([work, outOfTime]);
  } finally {
    settled.abort();
    signal.removeEventListener('abort', onStop);
  }
}

function inRunSpan(message: Msg, run: StageRun, work: () => Promise<void>): Promise<void> {
  return withSpan(
    `run ${run.stage}`,
    {
      parent: extractContext(headerCarrier(message.headers)),
      attributes: { 'task.id': run.task.taskId, stage: run.stage, 'run.id': run.runId, epoch: run.epoch },
    },
    work,
  );
}

function decodeRun<S extends Stage>(message: Msg, stage: S): Decoded<StageRunOf<S>> {
  const decoded = decodeMessage(StageRun, message);
  if (!decoded.ok) return decoded;
  return isOfStage(decoded.value, stage)
    ? { ok: true, value: decoded.value }
    : { ok: false, error: invalidMessage(message.subject, `holds a run of stage ${decoded.value.stage}`) };
}

function isOfStage<S extends Stage>(run: StageRun, stage: S): run is StageRunOf<S> {
  return run.stage === stage;
}
