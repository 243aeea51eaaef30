import { describe, expect, it } from '@jest/globals';
import { parseLsn } from './lsn.js';
import {
  formatSourceIdentity,
  parseSourceIdentity,
  parseTimelineHistory,
  refuseSource,
  type SourceIdentity,
} from './source-identity.js';

const identity = (text: string): SourceIdentity => parseSourceIdentity(text);

describe('refuseSource', () => {
  it.each([
    ['the same server', '7 1', '7 1', '0/50', null],
    ['another server', '8 1', '7 1', '0/50', /system identifier is 8/],
    ['a promoted standby that had everything', '7 2 1@0/50', '7 1', '0/50', null],
    ['a promoted standby that lacks what was read', '7 2 1@0/49', '7 1', '0/50', /branched off at 0\/49/],
    ['a standby of the promoted one', '7 3 1@0/50,2@0/90', '7 2 1@0/50', '0/80', null],
    ['one that was promoted twice since', '7 3 1@0/50,2@0/90', '7 1', '0/40', null],
    ['one whose second promotion lacks what was read', '7 3 1@0/50,2@0/90', '7 2 1@0/50', '0/91', /at 0\/90/],
    ['the old primary, after its standby was read on', '7 1', '7 2 1@0/50', '0/60', /at 0\/50/],
    ['the old primary, before its standby was read on', '7 1', '7 2 1@0/50', '0/50', null],
    ['another standby with the same new timeline', '7 2 1@0/40', '7 2 1@0/50', '0/60', /at 0\/40/],
    ['one that skipped a number', '7 3 1@0/50', '7 1', '0/50', null],
    ['two that left the same timeline for different ones', '7 3 1@0/50', '7 2 1@0/50', '0/60', /at 0\/50/],
    ['no common timeline', '7 5 4@0/50', '7 2 1@0/50', '0/40', /does not descend/],
  ])('%s', (...[, now, known, position, expected]) => {
    const refusal = refuseSource(identity(now), { source: identity(known), positionLsn: parseLsn(position) });
    if (expected === null) expect(refusal).toBeNull();
    else expect(refusal).toMatch(expected);
  });
});

describe('identity as text', () => {
  it.each(['7381234567890123456 1', '7 3 1@0/3000148,2@1/5000060'])('%s', (text) => {
    expect(formatSourceIdentity(identity(text))).toBe(text);
  });

  it('reads a history file', () => {
    const content = '1\t0/3000148\tno recovery target specified\n\n2\t0/5000060\tbefore 2000-01-01\n';
    expect(parseTimelineHistory(content)).toEqual([
      { timeline: 1, endLsn: 0x3000148n },
      { timeline: 2, endLsn: 0x5000060n },
    ]);
  });
});
