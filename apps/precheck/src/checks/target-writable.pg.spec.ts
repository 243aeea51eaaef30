import { describe, expect, it } from '@jest/globals';
import { testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { targetWritable } from './target-writable.js';

describe('target-writable', () => {
  it('fails while the database is set read-only, and passes after the fix', async () => {
    await using db = await testDatabase();
    const check = (): ReturnType<typeof runOneCheck> =>
      runOneCheck(targetWritable, { source: db.endpoint, target: db.endpoint });
    expect(await check()).toMatchObject({ outcome: 'passed' });
    await db.query(`ALTER DATABASE ${db.name} SET default_transaction_read_only = on`);
    const report = await check();
    expect(report).toMatchObject({ outcome: 'failed', evidence: 'default_transaction_read_only is on' });
    const [fix] = (report.fix ?? '').split('\n');
    await db.query(fix ?? '');
    expect(await check()).toMatchObject({ outcome: 'passed' });
  });
});
