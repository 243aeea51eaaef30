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

  it('fails for definitions that are not UTF-8, which only a database without encoding can hold', async () => {
    await using db = await testDatabase({ encoding: 'SQL_ASCII', schema: 'CREATE TABLE "käse" (id int, t text)' });
    await using target = await testDatabase({ encoding: 'SQL_ASCII' });
    const endpoints = { source: db.endpoint, target: target.endpoint };
    await db.query(`INSERT INTO "käse" VALUES (1, E'\\xe4')`);
    expect((await runOneCheck(names, endpoints)).outcome).toBe('passed');
    await db.query(`DO $$ BEGIN EXECUTE 'ALTER TABLE "käse" ALTER t SET DEFAULT ''' || chr(228) || ''''; END $$`);
    expect(await runOneCheck(names, endpoints)).toMatchObject({
      outcome: 'failed',
      evidence: expect.stringContaining('"käse"'),
    });
  });
});
