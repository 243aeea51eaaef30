import { expect } from '@jest/globals';
import { expectSameRows, type TestDatabase, waitFor } from '@sluice/testing';
import { untilCaughtUp } from './catch-up.js';
import { type Cluster } from './cluster.js';
import { auditConfirmations, type Watch, watchBank, watchOrder } from './properties.js';
import { startWriters, type Writers } from './writers.js';

/** One task under traffic, with everything beside it that sees what must never be seen. */
export interface RunningTask extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly taskId: string;
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly writers: Writers;
  /** The task says that it is recovering, and why. */
  untilRecovering(code: string): Promise<void>;
  /** Ends the traffic; the task has gone on by itself, source and target are equal, and no property was broken. */
  expectEqual(): Promise<void>;
}

export interface RunningTaskOptions {
  readonly cluster: Cluster;
  readonly taskId: string;
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly seed: number;
}

/** Fewer looks than this prove little; every fault takes longer than as many. */
const SAMPLES_MIN = 5;
/** Transactions before a fault and after it. */
const COMMITTED_BEFORE = 20;
const COMMITTED_AFTER = 50;

/** Starts traffic and the properties on a task that runs. */
export async function underTraffic(options: RunningTaskOptions): Promise<RunningTask> {
  const { cluster, taskId, source, target, seed } = options;
  await using starting = new AsyncDisposableStack();
  const writers = starting.use(await startWriters(source, seed));
  const watches: Watch[] = [];
  for (const watch of [
    auditConfirmations({ source, target }, taskId),
    watchBank({ source, target }),
    watchOrder({ source, target }),
  ]) {
    watches.push(starting.use(await watch));
  }
  await writers.untilMore(COMMITTED_BEFORE);
  const resources = starting.move();
  return {
    cluster,
    taskId,
    source,
    target,
    writers,
    untilRecovering: async (code) => {
      const seen = new Set<string>();
      const isRecovering = async (): Promise<boolean> => {
        const { state, error } = await cluster.api.getTask(taskId);
        seen.add(`${state} ${error?.code ?? ''}`);
        if (state.endsWith('_failed')) throw new Error(`task is ${state}: ${JSON.stringify(error)}`);
        return state === 'recovering' && error?.code === code;
      };
      await waitFor(`the task to recover from ${code}`, isRecovering, { intervalMs: 30 }).catch((error: unknown) => {
        throw new Error(`${String(error)}; it was ${[...seen].join(', ')}`, { cause: error });
      });
    },
    expectEqual: async () => {
      await writers.untilMore(COMMITTED_AFTER);
      const haveLooked = async (): Promise<boolean> => watches.every((watch) => watch.samples() > SAMPLES_MIN);
      await waitFor('the watches to have looked often enough', haveLooked);
      await writers.stop();
      await cluster.untilState(taskId, 'incremental');
      await untilCaughtUp(source, target);
      await expectSameRows(source, target);
      for (const watch of watches) {
        expect(await watch.stop()).toEqual([]);
      }
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
