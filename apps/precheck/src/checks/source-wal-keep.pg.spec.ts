import { describe, expect, it } from '@jest/globals';
import { dedicatedServer, testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { sourceWalKeep } from './source-wal-keep.js';

describe('source-wal-keep', () => {
  it('passes without a limit, and where there is no such setting', async () => {
    await using old = await testDatabase({ major: 10 });
    await using db = await testDatabase();
    for (const { endpoint } of [old, db]) {
      expect((await runOneCheck(sourceWalKeep, { source: endpoint, target: endpoint })).outcome).toBe('passed');
    }
  });

  it('warns of a limit', async () => {
    await using server = await dedicatedServer({ settings: { max_slot_wal_keep_size: '64MB' } });
    const endpoint = server.endpoint('postgres');
    const report = await runOneCheck(sourceWalKeep, { source: endpoint, target: endpoint });
    expect(report).toMatchObject({ outcome: 'warning', evidence: 'max_slot_wal_keep_size is 64 MB' });
  });
});
