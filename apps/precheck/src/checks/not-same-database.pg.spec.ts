import { describe, expect, it } from '@jest/globals';
import { testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { notSameDatabase } from './not-same-database.js';

describe('not-same-database', () => {
  it('passes for two databases of one server', async () => {
    await using left = await testDatabase();
    await using right = await testDatabase();
    const report = await runOneCheck(notSameDatabase, { source: left.endpoint, target: right.endpoint });
    expect(report.outcome).toBe('passed');
  });

  it('fails for one database under two addresses, also without privileges', async () => {
    await using db = await testDatabase();
    const overSocket = { ...db.endpoint, host: db.server.socketDir };
    const report = await runOneCheck(notSameDatabase, { source: await db.createRole(), target: overSocket });
    expect(report.outcome).toBe('failed');
  });
});
