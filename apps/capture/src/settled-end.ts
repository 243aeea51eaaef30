import { appliedMessages, type TaskSpec } from '@sluice/contracts';
import { deferred } from '@sluice/kernel';
import { type Bus, type Listening, subscribe } from '@sluice/messaging';
import { type Lsn, parseLsn } from '@sluice/model';

/** Resolves when everything below the position is applied and no table waits for its rows any more. */
export interface SettledEnd extends Disposable {
  readonly reached: Promise<void>;
}

/**
 * A table that joins is copied as of a position that is still to come; a task that ended before it would lack its rows.
 * So the end is chosen when none waits.
 */
export function awaitSettled(bus: Bus, task: TaskSpec, sinceLsn: Lsn): SettledEnd {
  const reached = deferred();
  const listening: Listening = subscribe(bus, appliedMessages, {
    params: { taskId: task.taskId },
    handle: ({ durableLsn, pendingTables = 0 }) => {
      if (pendingTables === 0 && parseLsn(durableLsn) >= sinceLsn) reached.resolve();
    },
  });
  return { reached: reached.promise, [Symbol.dispose]: () => listening[Symbol.dispose]() };
}
