import { describe, expect, it } from '@jest/globals';
import { assignLanes } from './foreign-keys.js';

describe('assignLanes', () => {
  it('lets keys of different tables go together and keeps those that share one apart', () => {
    expect(
      assignLanes([
        ['a', 'b'],
        ['b', 'a'],
        ['c', 'd'],
        ['d', 'b'],
        ['e', 'e'],
      ]),
    ).toEqual([0, 1, 0, 2, 0]);
  });
});
