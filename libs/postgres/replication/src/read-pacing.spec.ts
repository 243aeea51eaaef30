import { describe, expect, it } from '@jest/globals';
import { ReadPacing, TCP_PACING } from './read-pacing.js';

describe('ReadPacing', () => {
  it('lets a lone transaction through at once and gathers under load', () => {
    const pacing = new ReadPacing(TCP_PACING);
    const idle = [0, 20, 20.1, 20.2, 40, 40.1].map((at) => pacing.breakAfter(200, at));
    expect(idle).toEqual([0, 0, 0, 0, 0, 0]);
    const busy = [60, 60.1, 60.2, 60.3, 60.4, 61.5, 62.6].map((at) => pacing.breakAfter(200, at));
    expect(busy).toEqual([0, 0, 0, 0, 1, 1, 1]);
    expect(pacing.breakAfter(200 * 1024, 63)).toBe(0);
  });

  it('gathers for longer while it is behind, and its own breaks end no row of reads', () => {
    const pacing = new ReadPacing(TCP_PACING);
    pacing.isBehind = true;
    expect([0, 0.1, 0.2, 0.3, 0.4, 10.5, 20.6].map((at) => pacing.breakAfter(200, at))).toEqual([
      0, 0, 0, 0, 10, 10, 10,
    ]);
    expect([35, 35.1].map((at) => pacing.breakAfter(200, at))).toEqual([0, 0]);
  });
});
