import { describe, expect, it } from '@jest/globals';
import { selfTimes } from './self-time.js';

describe('selfTimes', () => {
  it('adds up what lies between the samples of a function, whatever called it, without waiting', () => {
    const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 9 });
    const profile = {
      nodes: [
        { id: 1, callFrame: frame('(idle)') },
        { id: 2, callFrame: frame('fold', 'node:fold') },
        { id: 3, callFrame: frame('fold', 'node:fold') },
        { id: 4, callFrame: frame('(garbage collector)') },
      ],
      samples: [1, 2, 3, 4, 1],
      timeDeltas: [0, 5_000_000, 1_000_000, 2_000_000, 500_000],
    };
    expect(selfTimes(profile)).toEqual(
      new Map([
        ['fold node:fold:10', 3],
        ['(garbage collector)', 0.5],
      ]),
    );
  });
});
