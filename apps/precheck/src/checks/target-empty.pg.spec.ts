import { describe, expect, it } from '@jest/globals';
import { testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { targetEmpty } from './target-empty.js';

describe('target-empty', () => {
  it('passes beside objects of other names, and names what exists already', async () => {
    await using source = await testDatabase({ schema: 'CREATE TABLE "my t" (id int)' });
    await using target = await testDatabase({ schema: 'CREATE TABLE other (id int)' });
    const endpoints = { source: source.endpoint, target: target.endpoint };
    expect((await runOneCheck(targetEmpty, endpoints)).outcome).toBe('passed');
    await target.query('CREATE VIEW "my t" AS SELECT 1 AS id');
    const report = await runOneCheck(targetEmpty, endpoints);
    expect(report).toMatchObject({ outcome: 'failed', evidence: '1 exist: relation "public"."my t"' });
  });

  it('names large objects whose OID is taken, unless only tables are selected', async () => {
    await using source = await testDatabase({ schema: 'SELECT lo_create(71000), lo_create(71001)' });
    await using target = await testDatabase({ schema: 'SELECT lo_create(71001), lo_create(71002)' });
    const endpoints = { source: source.endpoint, target: target.endpoint };
    const report = await runOneCheck(targetEmpty, endpoints);
    expect(report).toMatchObject({ outcome: 'failed', evidence: '1 exist: large object 71001' });
    const ofTables = await runOneCheck(targetEmpty, endpoints, { selection: { level: 'table', objects: [] } });
    expect(ofTables.outcome).toBe('passed');
  });
});
