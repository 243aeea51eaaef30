import { describe, expect, it } from '@jest/globals';
import { TokenBucket } from './token-bucket.js';

const READ = 64 * 1024;

/** Reads whenever it may, by a clock of its own. @returns the bytes of each second. */
function readFor(
  seconds: number,
  { bucket, clock, rate }: { bucket: TokenBucket; clock: { ms: number }; rate: () => number | null },
): number[] {
  const passed = Array.from({ length: seconds }, () => 0);
  const startMs = clock.ms;
  while (clock.ms - startMs < seconds * 1000) {
    const second = Math.floor((clock.ms - startMs) / 1000);
    const wait = bucket.waitMs(rate());
    clock.ms += wait === 0 ? 0.05 : wait;
    if (wait > 0) continue;
    bucket.take(READ);
    passed[second] = (passed[second] ?? 0) + READ;
  }
  return passed;
}

function setUp(): { bucket: TokenBucket; clock: { ms: number } } {
  const clock = { ms: 1_000 };
  return { bucket: new TokenBucket(() => clock.ms), clock };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

describe('a token bucket', () => {
  it.each([50_000, 1_000_000, 37_000_000])('lets %d bytes pass in a second, and not much less', (rate) => {
    const passed = sum(readFor(10, { ...setUp(), rate: () => rate }));
    expect(passed).toBeLessThanOrEqual(rate * 10);
    expect(passed).toBeGreaterThan(rate * 9.5 - 2 * READ);
  });

  it('saves up a quarter of a second, however long nobody took', () => {
    const { bucket, clock } = setUp();
    clock.ms += 3_600_000;
    expect(sum(readFor(1, { bucket, clock, rate: () => 1_000_000 }))).toBeLessThanOrEqual(1_250_000 + READ);
  });

  it('follows a rate that changes while it makes wait', () => {
    const { bucket, clock } = setUp();
    const startMs = clock.ms;
    const rate = (): number | null => {
      const second = (clock.ms - startMs) / 1000;
      if (second < 2) return 10_000;
      return second < 4 ? 0 : 1_000_000;
    };
    const passed = readFor(6, { bucket, clock, rate });
    expect(passed.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(passed[5]).toBeGreaterThan(900_000);
  });

  it('does not stop for what passed without a limit', () => {
    const { bucket } = setUp();
    bucket.take(1e9);
    expect(bucket.waitMs(null)).toBe(0);
    expect(bucket.waitMs(1_000_000)).toBeLessThan(100);
  });
});
