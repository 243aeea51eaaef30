import { describe, expect, it } from '@jest/globals';
import { testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { targetVersion } from './target-version.js';

describe('target-version', () => {
  it.each([
    { source: 15, target: 15, outcome: 'passed' },
    { source: 15, target: 18, outcome: 'passed' },
    { source: 18, target: 15, outcome: 'failed' },
  ] as const)('from $source to $target: $outcome', async ({ source, target, outcome }) => {
    await using left = await testDatabase({ major: source });
    await using right = await testDatabase({ major: target });
    const report = await runOneCheck(targetVersion, { source: left.endpoint, target: right.endpoint });
    expect(report.outcome).toBe(outcome);
  });
});
