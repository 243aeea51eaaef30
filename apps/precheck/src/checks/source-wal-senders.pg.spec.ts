import { describe, expect, it } from '@jest/globals';
import { testDatabase, testServer } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { sourceWalSenders } from './source-wal-senders.js';

describe('source-wal-senders', () => {
  it.each([
    { max: '2', outcome: 'passed' },
    { max: '1', outcome: 'warning' },
    { max: '0', outcome: 'failed' },
  ])('with max_wal_senders = $max: $outcome', async ({ max, outcome }) => {
    await using db = await testDatabase({ server: await testServer({ settings: { max_wal_senders: max } }) });
    const report = await runOneCheck(sourceWalSenders, { source: db.endpoint, target: db.endpoint });
    expect(report).toMatchObject({ outcome, evidence: `0 of ${max} WAL senders are in use` });
  });
});
