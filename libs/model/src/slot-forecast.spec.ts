import { describe, expect, it } from '@jest/globals';
import { addRetentionSample, type RetentionSample, secondsUntilSlotLost } from './slot-forecast.js';

const samples = (...pairs: readonly (readonly [number, number])[]): readonly RetentionSample[] =>
  pairs.reduce<readonly RetentionSample[]>(
    (all, [seconds, retainedBytes]) => addRetentionSample(all, { atMs: seconds * 1000, retainedBytes }),
    [],
  );

describe('secondsUntilSlotLost', () => {
  it.each([
    ['without a bound', samples([0, 0], [10, 1000]), null, null],
    ['after one look', samples([0, 0]), 1000, null],
    ['while the slot keeps up', samples([0, 500], [10, 500]), 1000, null],
    ['while it grows', samples([0, 0], [10, 1000]), 5000, 50],
    ['when it was lost a moment ago', samples([0, 0], [10, 1000]), -1, 0],
    ['by the last minute, not by what was before', samples([0, 0], [100, 90_000], [200, 91_000]), 1000, 100],
  ] as const)('%s', (...[, all, safeBytes, expected]) => {
    expect(secondsUntilSlotLost(all, safeBytes)).toBe(expected);
  });

  it('keeps what spans the window, and no more', () => {
    const all = samples(...Array.from({ length: 100 }, (_, index) => [index * 10, index] as const));
    expect(all.map(({ atMs }) => atMs / 1000)).toEqual([920, 930, 940, 950, 960, 970, 980, 990]);
  });
});
