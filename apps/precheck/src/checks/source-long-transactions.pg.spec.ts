import { describe, expect, it } from '@jest/globals';
import { testDatabase, testServer } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { longTransactionsCheck, sourceLongTransactions } from './source-long-transactions.js';

/** A test cannot wait until a transaction is old. */
const AT_ONCE = 0;
const NEVER = 1e9;

describe('source-long-transactions', () => {
  it('names a writing transaction with the statement that ends it, and no reading one', async () => {
    await using db = await testDatabase({ schema: 'CREATE TABLE t (a int)' });
    const endpoints = { source: db.endpoint, target: db.endpoint };
    const sensitive = longTransactionsCheck({ warningAfterSeconds: AT_ONCE, failedAfterSeconds: NEVER });
    const strict = longTransactionsCheck({ warningAfterSeconds: AT_ONCE, failedAfterSeconds: AT_ONCE });
    const [reader, writer] = [await db.connect(), await db.connect()];
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT a FROM t');
    expect((await runOneCheck(strict, endpoints)).outcome).toBe('passed');

    await writer.query('BEGIN; INSERT INTO t VALUES (1)');
    const { rows } = await writer.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const report = await runOneCheck(sensitive, endpoints);
    expect(report).toMatchObject({ outcome: 'warning', fix: `SELECT pg_terminate_backend(${rows[0]?.pid});` });
    expect(report.evidence).toMatch(
      new RegExp(`^session ${rows[0]?.pid} of postgres on ${db.name} \\(sluice test\\), open for \\d+ s$`),
    );
    expect((await runOneCheck(strict, endpoints)).outcome).toBe('failed');
    expect((await runOneCheck(sourceLongTransactions, endpoints)).outcome).toBe('passed');
  });

  it('names a prepared transaction', async () => {
    const server = await testServer({ settings: { max_prepared_transactions: '5' } });
    await using db = await testDatabase({ server, schema: 'CREATE TABLE t (a int)' });
    await db.query("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'it''s open'");
    const strict = longTransactionsCheck({ warningAfterSeconds: AT_ONCE, failedAfterSeconds: AT_ONCE });
    const report = await runOneCheck(strict, { source: db.endpoint, target: db.endpoint });
    expect(report).toMatchObject({ outcome: 'failed', fix: "ROLLBACK PREPARED 'it''s open';" });
  });
});
