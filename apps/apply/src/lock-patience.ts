import { type LockWatch } from '@sluice/postgres-writer';

/** A wait that is seen twice in a row lasts. */
const LOOK_INTERVAL_MS = 1_000;

export interface LockPatienceOptions {
  readonly watchLocks: () => Promise<LockWatch>;
  readonly backendPids: () => { readonly main: number; readonly running: readonly number[] };
  /** Called before the running transactions are ended on the target. */
  readonly onExhausted: () => void;
}

/**
 * A running transaction keeps its locks until the source ends it. What has committed can come to wait for them: through equal
 * rows without a key, a key that only the target has, or somebody who waits for the table. The server sees no deadlock in
 * that, as the stream is no lock. So when one of our sessions waits, the running ones are ended.
 */
export class LockPatience {
  readonly #options: LockPatienceOptions;
  #timer: NodeJS.Timeout | null = null;
  #watch: LockWatch | null = null;
  #looking: Promise<void> | null = null;
  #isWaiting = false;

  constructor(options: LockPatienceOptions) {
    this.#options = options;
  }

  begin(): void {
    this.#timer ??= setInterval(() => {
      this.#looking ??= this.#look()
        // Without an answer nothing is known; a target that is gone is noticed by those that write.
        .catch(() => this.#forgetWatch())
        .finally(() => {
          this.#looking = null;
        });
    }, LOOK_INTERVAL_MS);
  }

  async endSessions(backendPids: readonly number[]): Promise<void> {
    if (backendPids.length === 0) return;
    try {
      this.#watch ??= await this.#options.watchLocks();
      await this.#watch.endSessions(backendPids);
    } catch {
      // A target that is gone has ended them by itself.
    }
  }

  async end(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    this.#isWaiting = false;
    await this.#looking;
    await this.#forgetWatch();
  }

  async #look(): Promise<void> {
    const { main, running } = this.#options.backendPids();
    if (running.length === 0) return;
    this.#watch ??= await this.#options.watchLocks();
    const wasWaiting = this.#isWaiting;
    this.#isWaiting = await this.#watch.isWaiting([main, ...running]);
    if (!wasWaiting || !this.#isWaiting) return;
    // Order: what they fail with then has this cause.
    this.#options.onExhausted();
    await this.#watch.endSessions(running);
  }

  async #forgetWatch(): Promise<void> {
    const watch = this.#watch;
    this.#watch = null;
    await watch?.[Symbol.asyncDispose]().catch(() => undefined);
  }
}
