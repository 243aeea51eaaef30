import { describe, expect, it } from '@jest/globals';
import { dedicatedServer, testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { targetStructure } from './target-structure.js';

describe('target-structure', () => {
  it('passes, and leaves nothing behind', async () => {
    await using source = await testDatabase({
      schema: `CREATE TABLE t (id serial PRIMARY KEY, v text UNIQUE);
        CREATE FUNCTION fails() RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''it ran''; END';
        CREATE MATERIALIZED VIEW m AS SELECT fails() WITH NO DATA;
        CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''it ran''; END';
        CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION on_ddl()`,
    });
    await using target = await testDatabase();
    const report = await runOneCheck(targetStructure, { source: source.endpoint, target: target.endpoint });
    expect(report).toMatchObject({ outcome: 'passed', evidence: expect.stringMatching(/^\d+ statements/) });
    expect(await target.query(`SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace`)).toEqual([]);
  });

  it('names each object that the target refuses, with its own words', async () => {
    await using source = await testDatabase({
      major: 13,
      schema: `CREATE VIEW factorial AS SELECT 5 ! AS f;
        CREATE VIEW over_factorial AS SELECT f + 1 AS g FROM factorial;
        CREATE TABLE t (id int PRIMARY KEY)`,
    });
    await using target = await testDatabase({ major: 18 });
    const report = await runOneCheck(targetStructure, { source: source.endpoint, target: target.endpoint });
    expect(report.outcome).toBe('failed');
    expect(report.evidence).toMatch(/^view "public"."factorial": syntax error/);
    expect(report.evidence).toContain('view "public"."over_factorial": relation "public.factorial" does not exist');
    expect(report.evidence).not.toContain('table "public"."t"');
  });

  it('says which setting of the target is too low for so many objects', async () => {
    await using server = await dedicatedServer({
      settings: { max_locks_per_transaction: '10', max_connections: '10', max_wal_senders: '2' },
    });
    await using source = await testDatabase({
      schema: `DO $$ BEGIN FOR i IN 1..1500 LOOP EXECUTE format('CREATE TABLE t_%s (id int PRIMARY KEY, v text)', i); END LOOP; END $$`,
    });
    await using target = await testDatabase({ server });
    const report = await runOneCheck(targetStructure, { source: source.endpoint, target: target.endpoint });
    expect(report).toMatchObject({
      outcome: 'failed',
      evidence: expect.stringContaining('out of shared memory'),
      fix: expect.stringMatching(/^-- Raise max_locks_per_transaction on the target to \d+/),
    });
  });
});
