import { describe, expect, it } from '@jest/globals';
import { testDatabase, testServer } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { sourceWalLevel } from './source-wal-level.js';

describe('source-wal-level', () => {
  it.each([
    { walLevel: 'logical', outcome: 'passed' },
    { walLevel: 'replica', outcome: 'failed' },
  ])('with $walLevel: $outcome', async ({ walLevel, outcome }) => {
    await using db = await testDatabase({ server: await testServer({ settings: { wal_level: walLevel } }) });
    const report = await runOneCheck(sourceWalLevel, { source: db.endpoint, target: db.endpoint });
    expect(report).toMatchObject({ outcome, evidence: `wal_level is ${walLevel}` });
    if (outcome === 'failed') expect(report.fix).toContain("ALTER SYSTEM SET wal_level = 'logical';");
  });
});
