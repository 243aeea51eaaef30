import { describe, expect, it } from '@jest/globals';
import { testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { sourceTruncate } from './source-truncate.js';

describe('source-truncate', () => {
  it.each([
    [10, 'warning'],
    [11, 'passed'],
  ] as const)('of PostgreSQL %i: %s', async (major, outcome) => {
    await using db = await testDatabase({ major });
    const report = await runOneCheck(sourceTruncate, { source: db.endpoint, target: db.endpoint });
    expect(report.outcome).toBe(outcome);
  });
});
