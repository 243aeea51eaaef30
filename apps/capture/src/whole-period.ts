/** However often running transactions turn out to be unfit, they are tried again after so many times the first period. */
const GROWTH_MAX = 60;

/**
 * For how long transactions are sent after their commit only, since apply asked for that: longer each time when what came
 * between was no longer than that itself.
 */
export class WholePeriod {
  readonly #baseMs: number;
  #lengthMs = 0;
  #endedAtMs = 0;

  /** @param baseMs the first one's length. */
  constructor(baseMs: number) {
    this.#baseMs = baseMs;
  }

  /** Milliseconds until they may be sent while they run. */
  next(nowMs: number): number {
    const isSoon = nowMs - this.#endedAtMs < this.#lengthMs;
    this.#lengthMs = isSoon ? Math.min(this.#lengthMs * 2, this.#baseMs * GROWTH_MAX) : this.#baseMs;
    this.#endedAtMs = nowMs + this.#lengthMs;
    return this.#lengthMs;
  }
}
