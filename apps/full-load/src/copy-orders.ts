import {
  COPY_PRESENCE_INTERVAL_MS,
  copyPresences,
  type DesiredState,
  NO_RATE_LIMIT,
  type TaskId,
} from '@sluice/contracts';
import { type Bus, desiredStates, publish, subscribe } from '@sluice/messaging';
import { bytesPerSecondAt } from '@sluice/model';
import { randomUUID } from 'node:crypto';
import { LimitShares } from './limit-shares.js';

/** What a copy session has to observe; disposing of it says that the session is gone. */
export interface CopyOrders extends Disposable {
  /** Bytes per second that the session may copy at: `null` without a limit, 0 while it has to wait. */
  share(): number | null;
  /** Aborted as soon as a run of this epoch has to end. `using` ends the watch. */
  stopOf(epoch: number): Disposable & { readonly signal: AbortSignal };
}

/** Watches what is desired of the tasks that this process has copy sessions of. */
export class CopyOrderBook {
  readonly #bus: Bus;
  readonly #processId = randomUUID();
  readonly #tasks = new Map<TaskId, { readonly watch: TaskWatch; sessions: number }>();

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** @throws SluiceError 7001 when what is desired cannot be read. */
  async join(taskId: TaskId): Promise<CopyOrders> {
    const entry = this.#tasks.get(taskId) ?? { watch: new TaskWatch(this.#bus, taskId, this.#processId), sessions: 0 };
    this.#tasks.set(taskId, entry);
    entry.sessions += 1;
    const release = (): void => {
      entry.sessions -= 1;
      if (entry.sessions > 0) return;
      entry.watch[Symbol.dispose]();
      if (this.#tasks.get(taskId) === entry) this.#tasks.delete(taskId);
    };
    try {
      return await entry.watch.join(release);
    } catch (error) {
      // The next one reads again. Nobody joined this watch, and it may have a successor already.
      if (this.#tasks.get(taskId) === entry) this.#tasks.delete(taskId);
      release();
      throw error;
    }
  }
}

class TaskWatch implements Disposable {
  readonly #bus: Bus;
  readonly #taskId: TaskId;
  readonly #processId: string;
  readonly #shares: LimitShares;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #ready: Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #desired: DesiredState | null = null;
  /** In force now; too dear to be worked out at each read of a socket. */
  #bytesPerSecond: number | null = null;

  constructor(bus: Bus, taskId: TaskId, processId: string) {
    this.#bus = bus;
    this.#taskId = taskId;
    this.#processId = processId;
    this.#shares = new LimitShares(processId);
    const { signal } = this.#stop;
    subscribe(bus, copyPresences, { params: { taskId }, handle: (message) => this.#shares.heard(message), signal });
    this.#timer = setInterval(() => this.#look(), COPY_PRESENCE_INTERVAL_MS);
    this.#timer.unref();
    this.#ready = this.#read();
  }

  async join(release: () => void): Promise<CopyOrders> {
    await this.#ready;
    const { share, leave } = this.#shares.join();
    this.#look();
    return {
      share: () => {
        const mine = share(this.#bytesPerSecond);
        // Who is cut off neither hears of others nor is heard.
        return mine === null || this.#bus.isConnected ? mine : 0;
      },
      stopOf: (epoch) => this.#stopOf(epoch),
      [Symbol.dispose]: () => {
        leave();
        this.#look();
        release();
      },
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#stop.abort();
  }

  async #read(): Promise<void> {
    const states = desiredStates(this.#bus);
    this.#desired = await states.get(this.#taskId);
    const follow = async (): Promise<void> => {
      for await (const state of states.watch(this.#taskId, { signal: this.#stop.signal })) {
        this.#desired = state;
        this.#look();
        for (const listener of [...this.#listeners]) listener();
      }
    };
    follow().catch((error: unknown) => {
      this.#bus.log.error({ err: error, task_id: this.#taskId }, 'desired state is not watched');
    });
  }

  /** Looks which limit is in force; without one nobody has to know of the sessions. */
  #look(): void {
    this.#bytesPerSecond = bytesPerSecondAt(this.#desired?.rateLimit ?? NO_RATE_LIMIT, new Date());
    this.#shares.look(this.#bytesPerSecond);
    if (this.#bytesPerSecond === null || !this.#bus.isConnected) return;
    const [taskId, processId, { sessions }] = [this.#taskId, this.#processId, this.#shares];
    const payload = { version: 1, taskId, processId, sessions } as const;
    publish(this.#bus, copyPresences, { params: { taskId }, payload, durable: false }).catch((error: unknown) => {
      this.#bus.log.info({ err: error, task_id: taskId }, 'copy sessions could not be announced');
    });
  }

  #stopOf(epoch: number): Disposable & { readonly signal: AbortSignal } {
    const stop = new AbortController();
    const look = (): void => {
      const { desired, epoch: newest } = this.#desired ?? { desired: 'running', epoch };
      if (newest > epoch || (newest === epoch && desired !== 'running')) stop.abort();
    };
    this.#listeners.add(look);
    look();
    return { signal: stop.signal, [Symbol.dispose]: () => void this.#listeners.delete(look) };
  }
}
