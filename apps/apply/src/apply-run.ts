import { appliedMessages, rewindMessages, SluiceError, type StageRunOf } from '@sluice/contracts';
import { type Bus, changeStreams, publish, requestEndpoints, type RunContext } from '@sluice/messaging';
import { formatLsn, type Lsn } from '@sluice/model';
import { toEndpoint } from '@sluice/postgres-client';
import { TargetSession, TextFormNeeded } from '@sluice/postgres-writer';
import {
  type DesiredWatch,
  killPoint,
  runWithRecovery,
  stageReporter,
  watchDesired,
  type WorkAttempt,
  type WorkOutcome,
} from '@sluice/service-runtime';
import { type ApplyConfig } from './apply.config.js';
import { ApplyLoop, type ApplyLoopOptions, ExactRestartNeeded } from './apply-loop.js';
import { ApplyProgress } from './apply-progress.js';
import { ConflictShipper } from './conflict-shipper.js';
import { UnfinishedLoad } from './finish-load.js';
import { SequenceSink } from './sequence-sink.js';
import { SourceTime } from './source-time.js';
import { tracedApply } from './traced-apply.js';

export interface ApplyDependencies {
  readonly bus: Bus;
  readonly config: ApplyConfig;
  readonly worker: string;
}

/** Runs stage `apply` of a task until it is paused, has applied the final batch, or fails. */
export async function runApply(
  run: StageRunOf<'apply'>,
  context: RunContext,
  dependencies: ApplyDependencies,
): Promise<void> {
  const { bus, worker } = dependencies;
  const reporter = stageReporter(bus, { run, worker, signal: context.signal });
  using desired = await watchDesired(bus, run, context.signal);
  using sourceTime = SourceTime.follow(bus, run.task.taskId);
  const progress = new ApplyProgress(reporter, sourceTime);
  /** What could not be written as it came; kept over the restart of the session that it needs. */
  let reading: Reading = { exactCommitLsn: null, needsText: false };
  await runWithRecovery({
    run,
    context,
    reporter,
    work: async (attempt) => {
      for (;;) {
        try {
          return await applyUntilStopped({
            run,
            attempt,
            desired,
            progress,
            reading,
            ...dependencies,
            log: context.log,
          });
        } catch (error) {
          if (error instanceof TextFormNeeded) {
            reading = { ...reading, needsText: true };
            context.log.info({}, 'changes are read again with values in their text form');
            continue;
          }
          if (!(error instanceof ExactRestartNeeded)) throw error;
          reading = { ...reading, exactCommitLsn: error.commitLsn };
          context.log.info(
            { lsn: formatLsn(error.commitLsn) },
            'a large transaction is read again and written row by row',
          );
        }
      }
    },
  });
}

type Reading = Pick<ApplyLoopOptions, 'exactCommitLsn' | 'needsText'>;

interface SessionOptions extends ApplyDependencies {
  readonly run: StageRunOf<'apply'>;
  readonly attempt: WorkAttempt;
  readonly desired: DesiredWatch;
  readonly progress: ApplyProgress;
  readonly log: RunContext['log'];
  readonly reading: Reading;
}

async function applyUntilStopped(options: SessionOptions): Promise<WorkOutcome> {
  const { run, attempt, desired, bus, config, progress, reading } = options;
  const { taskId } = run.task;
  const stop = new AbortController();
  const stopOnOrder = (): void => {
    if (desired.isSuperseded || desired.current.desired === 'paused')
      stop.abort(new DOMException('ordered to stop', 'AbortError'));
  };
  const forget = desired.onChange(stopOnOrder);
  stopOnOrder();
  if (stop.signal.aborted) {
    // Nothing is opened any more: cleanup may be over, and opening the target would make its bookkeeping anew.
    forget();
    return { kind: 'stopped' };
  }
  const signal = AbortSignal.any([attempt.signal, stop.signal]);
  const endpoints = await requestEndpoints(bus, taskId, { service: 'apply', busKey: config.SLUICE_BUS_KEY });
  // Order: the checkpoint is claimed before the stream is read, so that the writer before us can commit nothing that we would not see.
  const target = await TargetSession.open(toEndpoint(endpoints.target), {
    taskId,
    conflictPolicy: run.task.incremental.conflictPolicy,
    silenceMs: config.SLUICE_APPLY_SILENCE_MS,
  });
  try {
    await using unfinished = await UnfinishedLoad.open(toEndpoint(endpoints.target), {
      run,
      bus,
      log: options.log,
      appliedLsn: () => target.appliedLsn,
      onFailure: () => stop.abort(new DOMException('the load cannot be finished', 'AbortError')),
    });
    const streams = changeStreams(bus);
    await streams.ensure(taskId, { maxBytes: config.SLUICE_CHANGES_MAX_BYTES });
    await using reader = await streams.openReader(taskId, {
      prefetchBytes: config.SLUICE_APPLY_PREFETCH_BYTES,
      // Wakes the loop at once when the order to stop comes; a newer run must not find this one still reading.
      signal,
    });
    // Order: disposed when the loop is over and before the run says how it ended, so that a conflict that stops the task is seen with it.
    await using _conflicts = new ConflictShipper(bus, {
      taskId,
      target: toEndpoint(endpoints.target),
      counts: () => target.conflicts,
      log: options.log,
    });
    await using _sequences = new SequenceSink(bus, { taskId, target: toEndpoint(endpoints.target), log: options.log });
    progress.begin(target);
    attempt.onHealthy();
    const loop = new ApplyLoop({
      ...tracedApply({ reader, target }, taskId),
      signal,
      ...reading,
      killPoint,
      onReceived: (newest) => progress.received(newest),
      onApplied: (applied) => progress.applied(applied),
      onDurable: (durableLsn) => announceDurable(bus, taskId, durableLsn),
      requestRewind: (session, checkpointLsn) =>
        requestRewind(bus, { taskId, session, checkpointLsn, needsText: reading.needsText }),
    });
    const end = await loop.run();
    progress.report();
    if (end === 'final') await unfinished?.untilFinished(signal);
    const refusal = unfinished?.verdict(end) ?? null;
    if (refusal) return { kind: 'failed', error: refusal };
    if (end === 'stopped' || signal.aborted) return { kind: 'stopped' };
    return { kind: 'succeeded', result: { stage: 'apply', appliedLsn: formatLsn(target.appliedLsn) } };
  } finally {
    forget();
    progress.end();
    await target.close();
  }
}

/** Capture confirms to the source what is said here, so it is said only of what the target has on disk (I1). */
function announceDurable(bus: Bus, taskId: string, durableLsn: Lsn): void {
  send(
    publish(bus, appliedMessages, {
      params: { taskId },
      payload: { version: 1, taskId, durableLsn: formatLsn(durableLsn) },
      durable: false,
    }),
  );
}

function requestRewind(
  bus: Bus,
  { checkpointLsn, ...request }: { taskId: string; session: string | null; checkpointLsn: Lsn; needsText: boolean },
): void {
  const payload = { version: 1, ...request, checkpointLsn: formatLsn(checkpointLsn) } as const;
  send(publish(bus, rewindMessages, { params: { taskId: request.taskId }, payload, durable: false }));
}

/** Both messages are repeated, so that a lost one is no matter. */
function send(published: Promise<void>): void {
  published.catch((error: unknown) => {
    if (!(error instanceof SluiceError)) throw error;
  });
}
