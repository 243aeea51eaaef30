import { describe, expect, it } from '@jest/globals';
import { dedicatedServer } from '@sluice/testing';
import { connect } from '@sluice/postgres-client';
import { runOneCheck } from '../run-one-check.js';
import { sourceReplicationSlots } from './source-replication-slots.js';

describe('source-replication-slots', () => {
  it('passes with two free, warns with one, fails with none', async () => {
    await using server = await dedicatedServer({ settings: { max_replication_slots: '2' } });
    const endpoint = server.endpoint('postgres');
    await using client = await connect(endpoint, { applicationName: 'spec' });
    for (const [slot, outcome] of [
      ['first', 'passed'],
      ['second', 'warning'],
      ['none', 'failed'],
    ] as const) {
      const report = await runOneCheck(sourceReplicationSlots, { source: endpoint, target: endpoint });
      expect(report.outcome).toBe(outcome);
      if (outcome !== 'passed') expect(report.fix).toContain('ALTER SYSTEM SET max_replication_slots = ');
      if (slot !== 'none') await client.query('SELECT pg_create_physical_replication_slot($1)', [slot]);
    }
  });
});
