import { describe, expect, it } from '@jest/globals';
import { testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { sourceRowSecurity } from './source-row-security.js';

describe('source-row-security', () => {
  it('fails for a role that policies apply to, and passes for one that bypasses them', async () => {
    await using db = await testDatabase({
      schema: 'CREATE TABLE t (id int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE TABLE open (id int)',
    });
    const role = await db.createRole();
    const check = (source = role): ReturnType<typeof runOneCheck> =>
      runOneCheck(sourceRowSecurity, { source, target: db.endpoint });
    const report = await check();
    expect(report).toMatchObject({ outcome: 'failed', evidence: 'it applies to 1: public.t' });
    expect((await check(db.endpoint)).outcome).toBe('passed');
    await db.query(report.fix ?? '');
    expect((await check()).outcome).toBe('passed');
  });
});
