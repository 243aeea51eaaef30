import { appliedMessages, rewindMessages, SluiceError, type StageRunOf } from '@sluice/contracts';
import { type Bus, changeStreams, publish, requestEndpoints, type RunContext } from '@sluice/messaging';
import { formatLsn, judgeObjects, type Lsn } from '@sluice/model';
import { type Endpoint, toEndpoint } from '@sluice/postgres-client';
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
import { ApplyLoop, ExactRestartNeeded } from './apply-loop.js';
import { type ApplyLoopOptions } from './apply-loop-options.js';
import { ApplyProgress } from './apply-progress.js';
import { ConflictShipper } from './conflict-shipper.js';
import { UnfinishedLoad } from './finish-load.js';
import { ddlSettings, refuseEnd } from './follow-ddl.js';
import { type RewindRequest } from './rewind-requests.js';
import { SequenceSink } from './sequence-sink.js';
import { SourceTime } from './source-time.js';
import { TableAdoption } from './table-adoption.js';
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
  const { run, attempt, desired, bus, config, progress } = options;
  const stop = new AbortController();
  const stopOnOrder = (): void => {
    if (desired.isSuperseded || desired.current.desired === 'paused')
      stop.abort(new DOMException('ordered to stop', 'AbortError'));
  };
  const forget = desired.onChange(stopOnOrder);
  try {
    stopOnOrder();
    // Nothing is opened any more: cleanup may be over, and opening the target would make its bookkeeping anew.
    if (stop.signal.aborted) return { kind: 'stopped' };
    const signal = AbortSignal.any([attempt.signal, stop.signal]);
    const found = await requestEndpoints(bus, run.task.taskId, { service: 'apply', busKey: config.SLUICE_BUS_KEY });
    const endpoints = { source: toEndpoint(found.source), target: toEndpoint(found.target) };
    // Order: the checkpoint is claimed before the stream is read, so that the writer before us can commit nothing that we would not see.
    const target = await TargetSession.open(endpoints.target, {
      taskId: run.task.taskId,
      conflictPolicy: run.task.incremental.conflictPolicy,
      silenceMs: config.SLUICE_APPLY_SILENCE_MS,
      judge: judgeObjects(run.task.objects),
      ddl: ddlSettings({
        task: run.task,
        source: endpoints.source,
        log: options.log,
        onExecuted: (count) => progress.ddlExecuted(count),
        onOutside: (count) => progress.ddlOutside(count),
        onForged: (count) => progress.ddlForged(count),
      }),
    });
    try {
      const halt = (why: string): void => stop.abort(new DOMException(why, 'AbortError'));
      return await applyTo(target, { ...options, endpoints, signal, halt });
    } finally {
      progress.end();
      await target.close();
    }
  } finally {
    forget();
  }
}

interface OpenSession extends SessionOptions {
  readonly endpoints: { readonly source: Endpoint; readonly target: Endpoint };
  readonly signal: AbortSignal;
  /** Ends the loop for what stands beside it. */
  readonly halt: (why: string) => void;
}

async function applyTo(target: TargetSession, options: OpenSession): Promise<WorkOutcome> {
  const { run, attempt, bus, config, progress, log, endpoints, signal, halt } = options;
  const { taskId } = run.task;
  await using unfinished = await UnfinishedLoad.open(endpoints.target, {
    run,
    bus,
    log,
    appliedLsn: () => target.appliedLsn,
    onFailure: () => halt('the load cannot be finished'),
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
    target: endpoints.target,
    counts: () => target.conflicts,
    log,
  });
  await using _sequences = new SequenceSink(bus, { taskId, target: endpoints.target, log });
  const onFailure = (): void => halt('tables cannot join');
  await using adoption = new TableAdoption({
    ...endpoints,
    task: run.task,
    session: target,
    signal,
    log,
    killPoint,
    onFailure,
  });
  progress.begin(target);
  options.log.info({ lsn: formatLsn(target.appliedLsn) }, 'apply session started');
  const loop = new ApplyLoop({
    ...tracedApply({ reader, target }, taskId),
    signal,
    ...options.reading,
    killPoint,
    adoption,
    onReceived: (newest) => progress.received(newest),
    onHealthy: () => attempt.onHealthy(),
    onApplied: (applied) => progress.applied(applied),
    onDurable: (durableLsn) =>
      announceDurable(bus, taskId, { durableLsn, pendingTables: target.pending.tables.length }),
    requestRewind: (request) => requestRewind(bus, taskId, { ...request, needsText: options.reading.needsText }),
    runningMax: run.task.incremental.connectionsMax - 1,
    onUnfit: (reason) =>
      log.info({ reason: reason.message }, 'running transactions are asked for again, after their commit'),
  });
  const end = await loop.run();
  progress.report();
  if (end === 'final') await unfinished?.untilFinished(signal);
  if (adoption.failure) throw adoption.failure;
  const refusal = unfinished?.verdict(end) ?? (end === 'final' ? refuseEnd(target.pending) : null);
  if (refusal) return { kind: 'failed', error: refusal };
  if (end === 'stopped' || signal.aborted) return { kind: 'stopped' };
  return { kind: 'succeeded', result: { stage: 'apply', appliedLsn: formatLsn(target.appliedLsn) } };
}

/** Capture confirms to the source what is said here, so it is said only of what the target has on disk (I1). */
function announceDurable(
  bus: Bus,
  taskId: string,
  { durableLsn, pendingTables }: { durableLsn: Lsn; pendingTables: number },
): void {
  send(
    publish(bus, appliedMessages, {
      params: { taskId },
      payload: { version: 1, taskId, durableLsn: formatLsn(durableLsn), pendingTables },
      durable: false,
    }),
  );
}

function requestRewind(
  bus: Bus,
  taskId: string,
  { checkpointLsn, ...request }: RewindRequest & { readonly needsText: boolean },
): void {
  const payload = { version: 1, taskId, ...request, checkpointLsn: formatLsn(checkpointLsn) } as const;
  send(publish(bus, rewindMessages, { params: { taskId }, payload, durable: false }));
}

/** Both messages are repeated, so that a lost one is no matter. */
function send(published: Promise<void>): void {
  published.catch((error: unknown) => {
    if (!(error instanceof SluiceError)) throw error;
  });
}
