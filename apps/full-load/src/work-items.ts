import { EVERYTHING, type StageRun, type TaskSpec } from '@sluice/contracts';
import { type BuildContext } from './load-context.js';

/** Items that are on their way to the bus at the same time. */
const PUBLISHED_AT_ONCE = 64;
/** Nothing moved and nobody is at work for this long: the items were lost with the bus, or there is no worker. Doubles. */
const LOST_AFTER_MS = 15_000;

/**
 * The items of a phase as given to the workers. What is done stands in the ledger, so giving out an item twice does no
 * harm: the second finds its row done.
 */
export class WorkItems {
  readonly #context: Pick<BuildContext, 'run' | 'publishItem'>;
  readonly #toRun: (id: string) => StageRun;
  #round = 0;
  #done = -1;
  #movedAtMs = 0;

  constructor(context: Pick<BuildContext, 'run' | 'publishItem'>, toRun: (id: string) => StageRun) {
    this.#context = context;
    this.#toRun = toRun;
  }

  async giveOut(ids: readonly string[]): Promise<void> {
    const { run, publishItem } = this.#context;
    for (let start = 0; start < ids.length; start += PUBLISHED_AT_ONCE) {
      await Promise.all(
        ids
          .slice(start, start + PUBLISHED_AT_ONCE)
          // Not the id alone: an item that ended with an error is given out again by the next run.
          .map((id) => publishItem(this.#toRun(id), `${id}:${run.runId}:${run.epoch}:${this.#round}`)),
      );
    }
    this.#movedAtMs = Date.now();
  }

  /** Gives the open items out again if they seem to be lost. */
  async watchOver(
    done: number,
    { isAnyAtWork, open }: { isAnyAtWork: () => Promise<boolean>; open: () => Promise<readonly string[]> },
  ): Promise<void> {
    if (done !== this.#done) {
      this.#done = done;
      this.#movedAtMs = Date.now();
      return;
    }
    if (Date.now() - this.#movedAtMs < LOST_AFTER_MS * 2 ** Math.min(this.#round, 6)) return;
    this.#movedAtMs = Date.now();
    if (await isAnyAtWork()) return;
    this.#round += 1;
    await this.giveOut(await open());
  }
}

/**
 * The task as a work item carries it. There are thousands of them, and the ledger says what to do: a selection that lists
 * thousands of objects must not be in each.
 */
export function taskOfItem(task: TaskSpec): TaskSpec {
  return { ...task, objects: EVERYTHING };
}
