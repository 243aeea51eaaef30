import { expect, it } from '@jest/globals';
import { WholePeriod } from './whole-period.js';

it('grows while running transactions stay unfit, up to sixty times as long, and begins anew after a time without', () => {
  const period = new WholePeriod(1_000);
  let nowMs = 0;
  const lengths = Array.from({ length: 14 }, () => {
    const length = period.next(nowMs);
    nowMs += length + 10;
    return length;
  });
  expect(lengths.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(lengths.at(-1)).toBe(60_000);
  expect(period.next(nowMs + 60_000)).toBe(1_000);
});
