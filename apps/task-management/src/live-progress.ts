import { Injectable } from '@nestjs/common';
import { type Progress, type ProgressMessage, type TaskId, type TaskResource } from '@sluice/contracts';

type Numbers = TaskResource['progress'];

const NONE: Numbers = { fullLoad: null, capture: null, apply: null };
const FIELD = { 'full-load': 'fullLoad', capture: 'capture', apply: 'apply' } as const satisfies Record<
  Progress['kind'],
  keyof Numbers
>;
/** More tasks than one deployment is made for; beyond it the one that was silent longest is forgotten. */
const TASKS_MAX = 10_000;

/** The newest numbers of each task, in memory only: the workers repeat them every second. */
@Injectable()
export class LiveProgress {
  readonly #byTask = new Map<TaskId, { readonly epoch: number; readonly numbers: Numbers }>();

  /** @returns false when a newer run has spoken already. */
  put({ taskId, epoch, progress }: ProgressMessage): boolean {
    const known = this.#byTask.get(taskId);
    if (known && known.epoch > epoch) return false;
    const numbers = { ...(known?.numbers ?? NONE), [FIELD[progress.kind]]: progress };
    // A Map keeps the order of insertion, so that the first key is the one that was silent longest.
    this.#byTask.delete(taskId);
    this.#byTask.set(taskId, { epoch, numbers });
    const [oldest] = this.#byTask.keys();
    if (this.#byTask.size > TASKS_MAX && oldest !== undefined) this.#byTask.delete(oldest);
    return true;
  }

  of(taskId: TaskId): Numbers {
    return this.#byTask.get(taskId)?.numbers ?? NONE;
  }
}
