import { Injectable } from '@nestjs/common';
import { type Progress, type ProgressMessage, type TaskDelay, type TaskId, type TaskResource } from '@sluice/contracts';
import { type Completeness } from '@sluice/model';
import { delayOf, type Heard, measure } from './live-delay.js';

type Numbers = TaskResource['progress'];

/** What the newest runs of a task have said. */
export interface LiveNumbers {
  readonly progress: Numbers;
  /** Null before the incremental phase, and until capture and apply have both spoken. */
  readonly delay: TaskDelay | null;
}

interface LiveTask {
  readonly epoch: number;
  readonly numbers: Numbers;
  readonly heard: Heard;
  readonly completeness: Completeness | null;
}

const NONE: Numbers = { fullLoad: null, capture: null, apply: null };
const SILENCE: Heard = { capture: null, captureBefore: null, apply: null };
const FIELD = { 'full-load': 'fullLoad', capture: 'capture', apply: 'apply' } as const satisfies Record<
  Progress['kind'],
  keyof Numbers
>;
/** More tasks than one deployment is made for; beyond it the one that was silent longest is forgotten. */
const TASKS_MAX = 10_000;

/** The newest numbers of each task, in memory only: the workers repeat them every second. */
@Injectable()
export class LiveProgress {
  readonly #byTask = new Map<TaskId, LiveTask>();

  /** @returns false when a newer run has spoken already. */
  put({ taskId, epoch, progress }: ProgressMessage): boolean {
    const known = this.#byTask.get(taskId);
    if (known && known.epoch > epoch) return false;
    const numbers = { ...(known?.numbers ?? NONE), [FIELD[progress.kind]]: progress };
    const heard = hear(known?.heard ?? SILENCE, progress);
    const measured = measure(heard, known?.completeness ?? null);
    const completeness = measured?.completeness ?? known?.completeness ?? null;
    // A Map keeps the order of insertion, so that the first key is the one that was silent longest.
    this.#byTask.delete(taskId);
    this.#byTask.set(taskId, { epoch, numbers, heard, completeness });
    const [oldest] = this.#byTask.keys();
    if (this.#byTask.size > TASKS_MAX && oldest !== undefined) this.#byTask.delete(oldest);
    return true;
  }

  of(taskId: TaskId): LiveNumbers {
    const task = this.#byTask.get(taskId);
    if (!task) return { progress: NONE, delay: null };
    return { progress: task.numbers, delay: delayOf(task.heard, task.completeness) };
  }

  /** Of every task that was heard of. */
  *all(): Generator<LiveNumbers & { readonly taskId: TaskId }> {
    for (const taskId of this.#byTask.keys()) yield { taskId, ...this.of(taskId) };
  }
}

function hear(before: Heard, progress: Progress): Heard {
  const atMs = performance.now();
  if (progress.kind === 'apply') return { ...before, apply: { progress, atMs } };
  if (progress.kind === 'capture') return { ...before, capture: { progress, atMs }, captureBefore: before.capture };
  return before;
}
