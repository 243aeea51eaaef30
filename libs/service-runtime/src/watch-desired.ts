import { type DesiredState, type StageRun } from '@sluice/contracts';
import { type Bus, desiredStates } from '@sluice/messaging';

/** What was ordered for the task of a run, now and when it changes. `using` ends the watch. */
export interface DesiredWatch extends Disposable {
  readonly current: DesiredState;
  /** True when the order belongs to a newer epoch: this run is of the past and must end without a word. */
  readonly isSuperseded: boolean;
  /** Resolves at the next change; rejects when the run's signal is aborted. */
  changed(): Promise<DesiredState>;
  /** Calls `listener` at every change; returns what ends that. */
  onChange(listener: (state: DesiredState) => void): () => void;
}

/**
 * Watches the desired state from the run's point of view: orders of an older epoch are ignored, and as long as there
 * is none the order is to run. Resolves when the current order was read.
 */
export async function watchDesired(bus: Bus, run: StageRun, signal: AbortSignal): Promise<DesiredWatch> {
  const { taskId } = run.task;
  const states = desiredStates(bus);
  const stop = new AbortController();
  const listeners = new Set<(state: DesiredState) => void>();
  const stored = await states.get(taskId);
  let current: DesiredState =
    stored && stored.epoch >= run.epoch ? stored : { version: 1, desired: 'running', epoch: run.epoch };
  const follow = async (): Promise<void> => {
    for await (const state of states.watch(taskId, { signal: AbortSignal.any([signal, stop.signal]) })) {
      if (state.epoch < run.epoch || isSame(state, current)) continue;
      current = state;
      for (const listener of [...listeners]) listener(state);
    }
  };
  follow().catch((error: unknown) => bus.log.error({ err: error, task_id: taskId }, 'desired state is not watched'));
  const onChange = (listener: (state: DesiredState) => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return {
    get current() {
      return current;
    },
    get isSuperseded() {
      return current.epoch > run.epoch;
    },
    onChange,
    changed: () => nextChange(onChange, signal),
    [Symbol.dispose]: () => stop.abort(),
  };
}

function nextChange(onChange: DesiredWatch['onChange'], signal: AbortSignal): Promise<DesiredState> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      forget();
      reject(signal.reason instanceof Error ? signal.reason : new DOMException('aborted', 'AbortError'));
    };
    const forget = onChange((state) => {
      forget();
      signal.removeEventListener('abort', onAbort);
      resolve(state);
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

function isSame(a: DesiredState, b: DesiredState): boolean {
  return a.desired === b.desired && a.epoch === b.epoch && a.untilLsn === b.untilLsn;
}
