import { describe, expect, it } from '@jest/globals';
import { testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { names } from './names.js';

describe('names', () => {
  it('passes, and fails when the source uses the schema of the bookkeeping', async () => {
    await using db = await testDatabase({ schema: 'CREATE SCHEMA sluice' });
    const endpoints = { source: db.endpoint, target: db.endpoint };
    expect((await runOneCheck(names, endpoints)).outcome).toBe('passed');
    await db.query('CREATE TABLE sluice.mine (id int)');
    expect(await runOneCheck(names, endpoints)).toMatchObject({
      outcome: 'failed',
      evidence: 'the source has tables in a schema named sluice',
    });
  });
});
