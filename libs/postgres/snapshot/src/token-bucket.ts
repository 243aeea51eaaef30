/** What a bucket may save up while nobody takes from it. Short, so that the limit holds over any ten seconds, too. */
const SAVED_MS_MAX = 250;
/** The rate is asked for again after this long, so that another one takes effect within it. */
const LOOK_AGAIN_MS = 250;
/** What a socket gives out at once. Owed from the beginning, as many sessions that begin together would pass one each for nothing. */
const READ_BYTES = 64 * 1024;

/**
 * Says how long to wait so that no more than a rate passes. A read of the socket passes whole and is waited for afterwards:
 * the bucket can owe, never more than one read. The rate is given at each question; it may change in between.
 */
export class TokenBucket {
  readonly #now: () => number;
  #tokens = -READ_BYTES;
  #filledAtMs: number;

  /** @param now milliseconds that only rise. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#filledAtMs = now();
  }

  take(bytes: number): void {
    this.#tokens -= bytes;
  }

  /**
   * @param bytesPerSecond `null` when nothing is limited, 0 when nothing may pass now.
   * @returns milliseconds after which to ask again; 0 when bytes may pass.
   */
  waitMs(bytesPerSecond: number | null): number {
    const nowMs = this.#now();
    const elapsedMs = nowMs - this.#filledAtMs;
    this.#filledAtMs = nowMs;
    if (bytesPerSecond === null) {
      // What passed without a limit is not owed.
      this.#tokens = -READ_BYTES;
      return 0;
    }
    const perMs = bytesPerSecond / 1000;
    this.#tokens = Math.min(this.#tokens + elapsedMs * perMs, SAVED_MS_MAX * perMs);
    if (bytesPerSecond === 0) return LOOK_AGAIN_MS;
    if (this.#tokens >= 0) return 0;
    return Math.min(Math.ceil(-this.#tokens / perMs), LOOK_AGAIN_MS);
  }
}
