/**
 * The clock of the source, told by a clock of ours that nobody sets. The machines' own clocks differ, and a delay is the
 * difference of two times.
 */
export class SourceClock {
  #offsetMs: number | null = null;

  /** @param offsetMs as `readSourceFacts` gives it. */
  adjust(offsetMs: number): void {
    this.#offsetMs = offsetMs;
  }

  get offsetMs(): number | null {
    return this.#offsetMs;
  }

  /** Milliseconds since 1970; null until the source was seen. */
  nowMs(): number | null {
    return this.#offsetMs === null ? null : performance.timeOrigin + performance.now() + this.#offsetMs;
  }
}
