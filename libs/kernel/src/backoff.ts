export interface BackoffOptions {
  /** First delay, milliseconds. */
  readonly baseMs: number;
  /** Longest delay, milliseconds. */
  readonly capMs: number;
}

/**
 * Exponential backoff with full jitter over the upper half, so that many workers that lost the same server
 * do not come back at the same moment and the first retry is still not immediate.
 *
 * @param attempt 0 for the first retry.
 */
export function backoffDelayMs(attempt: number, options: BackoffOptions, random: () => number = Math.random): number {
  const ceilingMs = Math.min(options.capMs, options.baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceilingMs / 2 + (ceilingMs / 2) * random());
}
