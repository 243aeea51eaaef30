import { delay } from '@sluice/kernel';
import { inspect } from 'node:util';

export interface WaitOptions {
  /** Default 3 min: it only ends what hangs, as a busy machine may take many times as long as a quiet one. */
  readonly deadlineMs?: number;
  readonly intervalMs?: number;
}

const DEADLINE_MS = 180_000;
const INTERVAL_MS = 20;

/**
 * Looks at a fact until it is there: until `probe` returns something other than `undefined` and `false`.
 * A probe that rejects ends the wait. @throws Error that names the description and what was seen last.
 */
export async function waitFor<T>(
  description: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  { deadlineMs = DEADLINE_MS, intervalMs = INTERVAL_MS }: WaitOptions = {},
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const seen = await probe();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > deadline) {
      throw new Error(`waited ${deadlineMs} ms for: ${description}; last seen: ${inspect(seen)}`);
    }
    await delay(intervalMs);
  }
}
