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
    { options: "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'", outcome: 'failed' },
    { options: "ENCODING 'UTF8' LC_COLLATE 'POSIX' LC_CTYPE 'POSIX'", outcome: 'warning' },
  ])('with a target of $options: $outcome', async ({ options, outcome }) => {
    await using db = await testDatabase();
    await using other = await databaseWith(db, options);
    const report = await runOneCheck(targetEncoding, { source: db.endpoint, target: other.endpoint });
    expect(report.outcome).toBe(outcome);
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
