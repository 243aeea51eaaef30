/** How a reader lets data gather in the kernel; the numbers behind it are in docs/replication/01-reading-the-slot.md. */
export interface PacingRule {
  /** Reads smaller than this mean that the reader is ahead of the source. */
  readonly smallReadBytes: number;
  /** So many small reads in a row without a break mean load; a lone transaction of an idle source is never held up. */
  readonly smallReadsMax: number;
  /** How long a break is, milliseconds; 1 is the resolution of Node's timers. */
  readonly breakMs: number;
  /** The same while the reader is far behind the source, so that nobody is kept waiting by it. */
  readonly breakBehindMs: number;
}

/** TCP takes in up to its window while nobody reads, and then lets the walsender's sends pile up in fewer segments. */
export const TCP_PACING: PacingRule = { smallReadBytes: 192 * 1024, smallReadsMax: 4, breakMs: 1, breakBehindMs: 10 };
/** A Unix socket holds some 250 small sends: a reader that pauses while it is nearly full makes the walsender wait. */
export const UNIX_PACING: PacingRule = { smallReadBytes: 16 * 1024, smallReadsMax: 4, breakMs: 1, breakBehindMs: 1 };

/** A time without data at least as long, breaks not counted, ends a row of reads. */
const QUIET_MS = 4;

/**
 * Decides when to stop reading for a moment. The walsender makes one small send for each change; a reader that sleeps
 * until each arrives makes every send wake a process, which costs the walsender more than its own work.
 */
export class ReadPacing {
  readonly #rule: PacingRule;
  #smallReads = 0;
  /** From when on a read is awaited. */
  #readyAt = 0;
  /** The reader is far behind the source. */
  isBehind = false;

  constructor(rule: PacingRule) {
    this.#rule = rule;
  }

  /** How long to stop reading after a read of `length` bytes, milliseconds. */
  breakAfter(length: number, nowMs: number): number {
    const isQuiet = nowMs - this.#readyAt >= QUIET_MS;
    this.#readyAt = nowMs;
    if (length >= this.#rule.smallReadBytes) {
      this.#smallReads = 0;
      return 0;
    }
    this.#smallReads = isQuiet ? 1 : this.#smallReads + 1;
    if (this.#smallReads <= this.#rule.smallReadsMax) return 0;
    const breakMs = this.isBehind ? this.#rule.breakBehindMs : this.#rule.breakMs;
    this.#readyAt += breakMs;
    return breakMs;
  }
}
