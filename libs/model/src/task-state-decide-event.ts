import { type ErrorReport, type StageEvent } from '@sluice/contracts';
import { unreachable } from '@sluice/kernel';
import { type Decision, desire, type OpenRun, type Order, run, type TaskSituation } from './task-state-situation.js';
import { type TaskState } from './task-state.js';

type Handler = (situation: TaskSituation, event: StageEvent) => Decision | null;

/**
 * What an event of a stage run does, or `null` when it changes nothing.
 *
 * Maintained invariant: a run's end is counted once. Its event is obeyed only while the run is open in the present
 * epoch, so a repeated delivery, and whatever a stale worker says, changes nothing.
 */
export function decideEvent(situation: TaskSituation, event: StageEvent): Decision | null {
  const open = situation.openRuns.find(({ runId }) => runId === event.runId);
  if (open === undefined || open.stage !== event.stage || event.epoch !== situation.epoch) return null;
  if (!isEnd(event)) return signOfLife(situation, event, open);
  const without = { ...situation, openRuns: situation.openRuns.filter((other) => other !== open) };
  return ON_END[situation.state](without, event) ?? { situation: without, orders: [] };
}

type EndEvent = Extract<StageEvent, { outcome: 'succeeded' | 'failed' | 'stopped' }>;

function isEnd(event: StageEvent): event is EndEvent {
  return event.outcome === 'succeeded' || event.outcome === 'failed' || event.outcome === 'stopped';
}

/** `recovering` and `running`: the state follows only while the task synchronizes; elsewhere the error is shown. */
function signOfLife(situation: TaskSituation, event: Exclude<StageEvent, EndEvent>, open: OpenRun): Decision | null {
  if (event.outcome === 'started') return null;
  if (open.lastSignAt !== null && event.at < open.lastSignAt) return null;
  const isRecovering = event.outcome === 'recovering';
  if (isRecovering === open.isRecovering && !isRecovering) return null;
  const openRuns = situation.openRuns.map((other) =>
    other === open ? { ...open, isRecovering, lastSignAt: event.at } : other,
  );
  const isAnyRecovering = openRuns.some((other) => other.isRecovering);
  const error = isRecovering ? event.error : isAnyRecovering ? situation.error : null;
  const state =
    situation.state === 'incremental' || situation.state === 'recovering'
      ? isAnyRecovering
        ? 'recovering'
        : 'incremental'
      : situation.state;
  return { situation: { ...situation, state, error, openRuns }, orders: [] };
}

const nothing: Handler = () => null;

const onStarting: Handler = (situation, event) => {
  const { report, error } = endOf(event);
  const failed = (because: ErrorReport): Decision => settle(situation, 'start_failed', { error: because });
  if (report?.stage === 'connection-test') {
    const tested = { ...situation, connectionTest: report.report };
    if (report.report.passed && !error) return { situation: tested, orders: run('precheck') };
    const step = report.report.steps.find(({ passed }) => !passed);
    return settle(tested, 'start_failed', { error: step?.error ?? error ?? unexplained(event) });
  }
  if (report?.stage === 'precheck') {
    const checked = { ...situation, precheck: report.report };
    if (!report.report.passed || error)
      return settle(checked, 'start_failed', { error: error ?? precheckFailed(report.report.checks) });
    return settle({ ...checked, isLoadStarted: true }, 'full_load', { error: null, orders: run('full-load') });
  }
  return failed(error ?? unexplained(event));
};

const onFullLoad: Handler = (situation, event) => {
  if (event.outcome !== 'succeeded')
    return settle(situation, 'full_load_failed', { error: endOf(event).error ?? unexplained(event) });
  if (event.stage === 'cleanup')
    return settle(situation, 'completed', { error: null, orders: [{ kind: 'delete-changes' }] });
  const loaded = { ...situation, isLoadFinished: true };
  return situation.syncType === 'full'
    ? settle(loaded, 'full_load', { error: null, orders: run('cleanup') })
    : settle(loaded, 'incremental', { error: null, orders: run('capture', 'apply') });
};

const onIncremental: Handler = (situation, event) =>
  settle(situation, 'incremental_failed', {
    error: endOf(event).error ?? unexplained(event),
    orders: [desire('paused')],
  });

/** The load may have finished before it saw the order to pause; that is kept for the resume. */
const onPaused: Handler = (situation, event) => {
  if (event.outcome === 'failed') return settle(situation, 'paused', { error: event.error });
  if (event.outcome !== 'succeeded') return null;
  if (event.stage === 'full-load') return settle({ ...situation, isLoadFinished: true }, 'paused', { error: null });
  if (event.stage === 'cleanup')
    return settle(situation, 'completed', { error: null, orders: [{ kind: 'delete-changes' }] });
  return null;
};

const onEnding: Handler = (situation, event) => {
  if (event.stage === 'cleanup' && event.outcome === 'succeeded')
    return settle(situation, 'ended', { error: null, orders: [{ kind: 'delete-changes' }] });
  const isLost = event.stage === 'cleanup' || (situation.isDraining && event.outcome !== 'succeeded');
  if (isLost) {
    const orders = situation.isDraining ? [desire('paused')] : [];
    return settle(situation, 'end_failed', { error: endOf(event).error ?? unexplained(event), orders });
  }
  if (situation.openRuns.length > 0) {
    // What the target has decides. Capture may wait for word of it that is lost with the apply run, so it is told to stop.
    return event.stage === 'apply' && situation.isDraining
      ? settle({ ...situation, isDraining: false }, 'ending', { error: null, orders: [desire('paused')] })
      : null;
  }
  return settle({ ...situation, isDraining: false }, 'ending', {
    error: null,
    orders: [desire('ending', situation.untilLsn), ...run('cleanup')],
  });
};

/** Total: a new state does not compile before somebody has said what a run's end means in it. */
const ON_END: Readonly<Record<TaskState, Handler>> = {
  creating: nothing,
  create_failed: nothing,
  configuring: nothing,
  waiting_to_start: nothing,
  starting: onStarting,
  start_failed: nothing,
  full_load: onFullLoad,
  full_load_failed: nothing,
  incremental: onIncremental,
  incremental_failed: nothing,
  changing: onIncremental,
  change_failed: nothing,
  recovering: onIncremental,
  paused: onPaused,
  ending: onEnding,
  end_failed: nothing,
  ended: nothing,
  completed: nothing,
};

function settle(
  situation: TaskSituation,
  state: TaskState,
  { error, orders = [] }: { readonly error: ErrorReport | null; readonly orders?: readonly Order[] },
): Decision {
  return { situation: { ...situation, state, error }, orders };
}

function endOf(event: StageEvent): {
  readonly report: Extract<StageEvent, { outcome: 'succeeded' }>['result'] | undefined;
  readonly error: ErrorReport | undefined;
} {
  switch (event.outcome) {
    case 'succeeded':
      return { report: event.result, error: undefined };
    case 'failed':
      return { report: event.result, error: event.error };
    case 'stopped':
    case 'started':
    case 'running':
    case 'recovering':
      return { report: undefined, error: undefined };
    default:
      return unreachable(event);
  }
}

function precheckFailed(checks: readonly { readonly title: string; readonly outcome: string }[]): ErrorReport {
  const failed = checks.filter(({ outcome }) => outcome === 'failed').map(({ title }) => title);
  return {
    code: 'SLUICE-2001',
    detail: failed.length > 0 ? `failed: ${failed.join('; ')}` : 'a check could not be run',
    remedy: 'Fix the failed items; each names its reason and its fix.',
  };
}

/** A run that ended in a way that nobody ordered: never silence, a person has to see it. */
function unexplained(event: StageEvent): ErrorReport {
  return {
    code: 'SLUICE-9001',
    detail: `${event.stage} ${event.outcome} in a state that does not expect it (run ${event.runId})`,
    remedy: 'Report this with the log of the service, then retry the task.',
  };
}
