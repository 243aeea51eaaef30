import { describe, expect, it } from '@jest/globals';
import { countJestResults, formatCounts } from './counts.js';

const results = (more: Record<string, number>): string =>
  JSON.stringify({
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    numRuntimeErrorTestSuites: 0,
    ...more,
  });

describe('countJestResults', () => {
  it.each([
    ['passed tests', [results({ numPassedTests: 3 }), true], '3 passed, 0 failed, 0 skipped'],
    [
      'pending and planned tests',
      [results({ numPendingTests: 1, numTodoTests: 1 }), true],
      '0 passed, 0 failed, 2 skipped',
    ],
    [
      'a suite that cannot be loaded',
      [results({ numRuntimeErrorTestSuites: 1 }), false],
      '0 passed, 1 failed, 0 skipped',
    ],
    ['a failure outside of tests', [results({ numPassedTests: 2 }), false], '2 passed, 1 failed, 0 skipped'],
    ['a run that wrote nothing', [null, true], '0 passed, 1 failed, 0 skipped'],
  ] as const)('counts %s', (_what, [json, isSuccess], expected) => {
    expect(formatCounts(countJestResults(json, isSuccess))).toBe(expected);
  });
});
