import { describe, expect, it } from '@jest/globals';
import { RateLimit } from './rate-limit.js';

const START_MS = 1_000_000;

describe('the rate limit of a key', () => {
  it('lets a burst through, then as many as the rate, and says how long to wait', () => {
    const limit = new RateLimit({ perSecond: 2, burst: 3 });
    const at = (afterMs: number) => limit.take('key', START_MS + afterMs);
    expect([at(0), at(0), at(0)].map(({ isAllowed, remaining }) => [isAllowed, remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
    ]);
    expect(at(0)).toEqual({ isAllowed: false, remaining: 0, waitSeconds: 1 });
    expect(at(499).isAllowed).toBe(false);
    expect(at(500).isAllowed).toBe(true);
    expect(at(501).isAllowed).toBe(false);
    expect(at(60_000)).toMatchObject({ isAllowed: true, remaining: 2 });
  });

  it('is not spent by other keys, nor given back by a clock that goes backwards', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 1 });
    expect(limit.take('one', START_MS).isAllowed).toBe(true);
    expect(limit.take('two', START_MS).isAllowed).toBe(true);
    expect(limit.take('one', START_MS - 60_000).isAllowed).toBe(false);
  });

  it('is remembered for a bounded number of keys', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 1 });
    for (let index = 0; index <= 10_000; index += 1) limit.take(`key ${index}`, START_MS);
    expect(limit.take('key 10000', START_MS).isAllowed).toBe(false);
    expect(limit.take('key 0', START_MS).isAllowed).toBe(true);
  });
});
