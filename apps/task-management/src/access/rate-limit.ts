/** More keys than that are not in use at once; the one that was used longest ago starts anew. */
const BUCKETS_MAX = 10_000;

export interface Rate {
  readonly perSecond: number;
  /** How many may come at once after a pause. */
  readonly burst: number;
}

export interface Taken {
  readonly isAllowed: boolean;
  /** Requests that could follow at once. */
  readonly remaining: number;
  /** Until the next request is allowed; 0 when it is. */
  readonly waitSeconds: number;
}

/** A token bucket for each key, in this process: with several replicas a key has as many times the rate. */
export class RateLimit {
  readonly #buckets = new Map<string, { readonly tokens: number; readonly atMs: number }>();

  constructor(readonly rate: Rate) {}

  take(keyId: string, nowMs: number): Taken {
    const { perSecond, burst } = this.rate;
    const before = this.#buckets.get(keyId) ?? { tokens: burst, atMs: nowMs };
    const filled = Math.min(burst, before.tokens + (Math.max(0, nowMs - before.atMs) / 1_000) * perSecond);
    const isAllowed = filled >= 1;
    const tokens = isAllowed ? filled - 1 : filled;
    // Deleted first, so that the order of the map is the order of use.
    this.#buckets.delete(keyId);
    this.#buckets.set(keyId, { tokens, atMs: nowMs });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > BUCKETS_MAX && oldest !== undefined) this.#buckets.delete(oldest);
    const waitSeconds = tokens >= 1 ? 0 : Math.ceil((1 - tokens) / perSecond);
    return { isAllowed, remaining: Math.floor(tokens), waitSeconds };
  }
}
