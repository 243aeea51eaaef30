import { describe, expect, it } from '@jest/globals';
import { type Endpoint } from '@sluice/postgres-client';
import { testDatabase, type TestDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { targetEncoding } from './target-encoding.js';

describe('target-encoding', () => {
  it.each([10, 18] as const)('passes for the same encoding and locale on PostgreSQL %i', async (major) => {
    await using left = await testDatabase({ major });
    await using right = await testDatabase({ major });
    const report = await runOneCheck(targetEncoding, { source: left.endpoint, target: right.endpoint });
    expect(report).toMatchObject({ outcome: 'passed', evidence: expect.stringContaining('UTF8') });
  });

  it.each([
    ['UTF8', 'LATIN1', 'warning'],
    ['EUC_JP', 'UTF8', 'warning'],
    ['SQL_ASCII', 'SQL_ASCII', 'passed'],
    ['SQL_ASCII', 'UTF8', 'failed'],
    ['EUC_JP', 'EUC_JP', 'failed'],
    ['UTF8', 'EUC_JP', 'failed'],
  ])('from %s into %s: %s', async (from, into, outcome) => {
    await using left = await testDatabase({ encoding: from });
    await using right = await testDatabase({ encoding: into });
    const report = await runOneCheck(targetEncoding, { source: left.endpoint, target: right.endpoint });
    expect(report).toMatchObject({ outcome, evidence: expect.stringContaining(from) });
  });

  it('warns of another locale', async () => {
    await using db = await testDatabase();
    await using other = await databaseWith(db, "ENCODING 'UTF8' LC_COLLATE 'POSIX' LC_CTYPE 'POSIX'");
    const report = await runOneCheck(targetEncoding, { source: db.endpoint, target: other.endpoint });
    expect(report.outcome).toBe('warning');
  });
});

async function databaseWith(db: TestDatabase, options: string): Promise<{ endpoint: Endpoint } & AsyncDisposable> {
  const database = `${db.name}_other`;
  await db.query(`CREATE DATABASE ${database} TEMPLATE template0 ${options}`);
  return {
    endpoint: { ...db.endpoint, database },
    [Symbol.asyncDispose]: async () => {
      await db.query(`DROP DATABASE ${database} WITH (FORCE)`);
    },
  };
}
