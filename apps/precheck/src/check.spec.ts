import { describe, expect, it } from '@jest/globals';
import { listSome, statements } from './check.js';

describe('lists in a report', () => {
  it('are whole when short', () => {
    expect(listSome(['a', 'b'])).toBe('a, b');
    expect(statements(['A;', 'B;'])).toBe('A;\nB;');
  });

  it('are cut with the number of the rest', () => {
    expect(listSome(['a', 'b', 'c'], 2)).toBe('a, b and 1 more');
    expect(statements(Array.from({ length: 103 }, () => 'A;'))).toMatch(/-- and 3 more alike$/);
  });
});
