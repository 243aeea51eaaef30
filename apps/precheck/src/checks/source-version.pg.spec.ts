import { describe, expect, it } from '@jest/globals';
import { testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { sourceVersion } from './source-version.js';

describe('source-version', () => {
  it.each([10, 18] as const)('passes on PostgreSQL %i', async (major) => {
    await using db = await testDatabase({ major });
    const report = await runOneCheck(sourceVersion, { source: db.endpoint, target: db.endpoint });
    expect(report).toMatchObject({ outcome: 'passed', evidence: `PostgreSQL ${major}` });
  });

  it.each([9, 19])('fails on PostgreSQL %i', async (major) => {
    await using db = await testDatabase();
    // No such server can be started here: the facts of a real one with another version.
    const unsupported = {
      ...sourceVersion,
      run: (context: Parameters<typeof sourceVersion.run>[0]) =>
        sourceVersion.run({ ...context, sourceFacts: { ...context.sourceFacts, major } }),
    };
    const report = await runOneCheck(unsupported, { source: db.endpoint, target: db.endpoint });
    expect(report).toMatchObject({ outcome: 'failed', evidence: `PostgreSQL ${major}` });
  });
});
