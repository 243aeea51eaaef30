import { describe, expect, it } from '@jest/globals';
import { testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { sourceUnsupportedObjects } from './source-unsupported-objects.js';

describe('source-unsupported-objects', () => {
  it('passes when everything can be created, and warns of what cannot', async () => {
    await using db = await testDatabase({ schema: 'CREATE TABLE t (id int PRIMARY KEY)' });
    await using other = await testDatabase();
    const endpoints = { source: db.endpoint, target: other.endpoint };
    expect((await runOneCheck(sourceUnsupportedObjects, endpoints)).outcome).toBe('passed');
    await db.query('CREATE FOREIGN DATA WRAPPER wrapper');
    const report = await runOneCheck(sourceUnsupportedObjects, endpoints);
    expect(report).toMatchObject({ outcome: 'warning', evidence: '1 left out: foreign-data wrapper wrapper' });
  });

  it('names what goes with something else, and fails for a table, whose rows would have no place', async () => {
    await using db = await testDatabase({
      schema: `CREATE FOREIGN DATA WRAPPER wrapper; CREATE SERVER elsewhere FOREIGN DATA WRAPPER wrapper;
        CREATE FOREIGN TABLE far (id int) SERVER elsewhere; CREATE VIEW near AS SELECT id FROM far`,
    });
    await using other = await testDatabase();
    const endpoints = { source: db.endpoint, target: await other.createRole() };
    const warned = await runOneCheck(sourceUnsupportedObjects, endpoints);
    expect(warned).toMatchObject({ outcome: 'warning', evidence: expect.stringContaining('view "public"."near"') });
    expect(warned.reason).toContain('view: it needs foreign table public.far, which is left out');
    await db.query(`CREATE TYPE own;
      CREATE FUNCTION own_in(cstring) RETURNS own LANGUAGE internal IMMUTABLE STRICT AS 'textin';
      CREATE FUNCTION own_out(own) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
      CREATE TYPE own (INPUT = own_in, OUTPUT = own_out, LIKE = text);
      CREATE TABLE of_own (a own)`);
    expect(await runOneCheck(sourceUnsupportedObjects, endpoints)).toMatchObject({
      outcome: 'failed',
      evidence: '1 tables cannot be created: table "public"."of_own"',
    });
  });
});
