import { type TaskResource } from '@sluice/contracts';
import { delay } from '@sluice/kernel';
import { type ApiClient } from './api-client.js';
import { type Display } from './display.js';
import { failureLines, reportLines } from './failure.js';
import { formatDuration } from './format.js';
import {
  connectionTestLines,
  fullLoadLines,
  type FullLoadProgress,
  incrementalLines,
  precheckLines,
  RateMeter,
  RestartingCounter,
} from './task-view.js';

const POLL_MS = 500;

/** The task came to a state that it does not leave by itself. What went wrong has been shown. */
export class TaskFailed extends Error {
  override readonly name = 'TaskFailed';
}

/** Shows a task on the terminal while it is waited for. */
export class TaskFollower {
  readonly #api: ApiClient;
  readonly #display: Display;
  readonly #rate = new RateMeter();
  readonly #transactions = new RestartingCounter();
  readonly #changes = new RestartingCounter();
  #stateSinceMs = performance.now();
  #state: string | null = null;
  #hasShownTest = false;
  #hasShownChecks = false;
  #fullLoad: FullLoadProgress | null = null;
  #loaded: FullLoadProgress | null = null;

  constructor(api: ApiClient, display: Display) {
    this.#api = api;
    this.#display = display;
  }

  /** The most of the full load that was seen: numbers are about once a second, and the last are those of its end. */
  get fullLoad(): FullLoadProgress | null {
    return this.#loaded;
  }

  /** Of all apply runs together. */
  get applied(): { readonly transactions: number; readonly changes: number } {
    return { transactions: this.#transactions.total, changes: this.#changes.total };
  }

  /** Resolves when `isThere` holds. @throws TaskFailed when the task failed, which is shown first. */
  async until(id: string, isThere: (task: TaskResource) => boolean, signal: AbortSignal): Promise<TaskResource> {
    for (;;) {
      const task = await this.#api.getTask(id);
      this.#showSteps(task);
      if (isThere(task)) {
        this.#display.clear();
        return task;
      }
      if (task.state.endsWith('_failed')) throw this.#failure(task);
      this.#showStatus(task);
      await delay(POLL_MS, signal);
    }
  }

  /** What stays on the terminal, and what is counted. */
  #showSteps(task: TaskResource): void {
    this.#showChecks(task);
    const { fullLoad, apply } = task.progress;
    if (fullLoad?.kind === 'full-load') {
      this.#fullLoad = fullLoad;
      if (fullLoad.rowsDone >= (this.#loaded?.rowsDone ?? 0)) this.#loaded = fullLoad;
    }
    if (apply?.kind === 'apply') {
      this.#transactions.read(apply.transactions);
      this.#changes.read(apply.changes);
    }
    if (task.state !== this.#state) this.#showTransition(task.state);
  }

  #showStatus(task: TaskResource): void {
    const { capture, apply } = task.progress;
    const isLoading = task.state === 'full_load' && this.#fullLoad !== null;
    if (isLoading && this.#fullLoad) {
      this.#display.status(fullLoadLines(this.#fullLoad));
      return;
    }
    if (task.state === 'incremental' || task.state === 'ending') {
      const applied = apply?.kind === 'apply' ? apply : null;
      const captured = capture?.kind === 'capture' ? capture : null;
      const transactionsPerSecond = applied && this.#rate.read(applied.transactions, performance.now());
      this.#display.status(incrementalLines({ apply: applied, capture: captured, transactionsPerSecond }));
      return;
    }
    this.#display.status(task.error ? [task.state, ...reportLines(task.error)] : [`task: ${task.state}`]);
  }

  #showChecks({ connectionTest, precheck }: TaskResource): void {
    if (connectionTest && !this.#hasShownTest) {
      this.#hasShownTest = true;
      ['Connection test', ...connectionTestLines(connectionTest)].forEach((line) => this.#display.line(line));
    }
    if (precheck && !this.#hasShownChecks) {
      this.#hasShownChecks = true;
      ['Prechecks', ...precheckLines(precheck)].forEach((line) => this.#display.line(line));
    }
  }

  #showTransition(state: string): void {
    const nowMs = performance.now();
    const lasted = this.#state === null ? '' : ` (${this.#state} took ${formatDuration(nowMs - this.#stateSinceMs)})`;
    this.#state = state;
    this.#stateSinceMs = nowMs;
    this.#display.line(`Task is now ${state}${lasted}`);
  }

  #failure(task: TaskResource): TaskFailed {
    this.#display.clear();
    const lines = task.error
      ? reportLines(task.error)
      : failureLines({
          code: 'SLUICE-9001',
          detail: `the task is ${task.state}`,
          remedy: 'See the logs of the services.',
        });
    lines.forEach((line) => this.#display.line(line));
    return new TaskFailed(`task ${task.name} is ${task.state}`);
  }
}
