/** A little longer than the way of the next work item, so that sessions outlive a chunk and not a load. */
const IDLE_MS = 5_000;

interface Idle<S> {
  readonly sessions: S;
  readonly timer: NodeJS.Timeout;
}

/**
 * Keeps the sessions of a task open from one work item to the next. There are never more of them than workers, as each
 * is in the hands of one; those that nobody took for IDLE_MS are closed.
 */
export class SessionPool<S extends AsyncDisposable> implements AsyncDisposable {
  readonly #open: (taskId: string) => Promise<S>;
  readonly #idle = new Map<string, Idle<S>[]>();

  constructor(open: (taskId: string) => Promise<S>) {
    this.#open = open;
  }

  /**
   * Runs `work` with sessions that nobody else uses. After a failure, and when the signal is aborted meanwhile, they
   * are closed: what they were in the middle of ends with them.
   */
  async use<T>(taskId: string, signal: AbortSignal, work: (sessions: S) => Promise<T>): Promise<T> {
    const sessions = this.#take(taskId) ?? (await this.#open(taskId));
    const close = (): Promise<void> => closeQuietly(sessions);
    const onAbort = (): void => void close();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      signal.throwIfAborted();
      const result = await work(sessions);
      signal.throwIfAborted();
      this.#giveBack(taskId, sessions);
      return result;
    } catch (error) {
      await close();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#idle.values()].flat();
    this.#idle.clear();
    all.forEach(({ timer }) => clearTimeout(timer));
    await Promise.all(all.map(({ sessions }) => closeQuietly(sessions)));
  }

  #take(taskId: string): S | null {
    const idle = this.#idle.get(taskId)?.pop();
    if (!idle) return null;
    clearTimeout(idle.timer);
    return idle.sessions;
  }

  #giveBack(taskId: string, sessions: S): void {
    const ofTask = this.#idle.get(taskId) ?? [];
    this.#idle.set(taskId, ofTask);
    const entry: Idle<S> = {
      sessions,
      timer: setTimeout(() => {
        ofTask.splice(ofTask.indexOf(entry), 1);
        if (ofTask.length === 0) this.#idle.delete(taskId);
        void closeQuietly(sessions);
      }, IDLE_MS),
    };
    entry.timer.unref();
    ofTask.push(entry);
  }
}

async function closeQuietly(sessions: AsyncDisposable): Promise<void> {
  try {
    await sessions[Symbol.asyncDispose]();
  } catch {
    // Closed already, by the server or by us.
  }
}
