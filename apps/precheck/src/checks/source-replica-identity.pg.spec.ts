import { describe, expect, it } from '@jest/globals';
import { testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { sourceReplicaIdentity } from './source-replica-identity.js';

const FINE = `
  CREATE TABLE keyed (id int PRIMARY KEY);
  CREATE TABLE whole (a text); ALTER TABLE whole REPLICA IDENTITY FULL;
  CREATE TABLE indexed (a int NOT NULL UNIQUE); ALTER TABLE indexed REPLICA IDENTITY USING INDEX indexed_a_key;
  CREATE TABLE root (id int) PARTITION BY LIST (id);
  CREATE TABLE leaf PARTITION OF root (PRIMARY KEY (id)) FOR VALUES IN (1);`;

describe('source-replica-identity', () => {
  it.each([10, 18] as const)('passes when the server can identify every row on PostgreSQL %i', async (major) => {
    await using db = await testDatabase({ major, schema: FINE });
    const report = await runOneCheck(sourceReplicaIdentity, { source: db.endpoint, target: db.endpoint });
    expect(report.outcome).toBe('passed');
  });

  it.each([10, 18] as const)('fails with the statements that help, on PostgreSQL %i', async (major) => {
    await using db = await testDatabase({
      major,
      schema: `${FINE}
        CREATE TABLE "no key" (a int UNIQUE);
        CREATE TABLE nothing (id int PRIMARY KEY); ALTER TABLE nothing REPLICA IDENTITY NOTHING;
        CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE);
        CREATE TABLE usable (a int NOT NULL, b int NOT NULL, UNIQUE (a, b)); CREATE UNIQUE INDEX short ON usable (a);
        CREATE TABLE partial (a int NOT NULL); CREATE UNIQUE INDEX ON partial (a) WHERE a > 0;
        CREATE TABLE leaf2 PARTITION OF root FOR VALUES IN (2);`,
    });
    const endpoints = { source: db.endpoint, target: db.endpoint };
    const report = await runOneCheck(sourceReplicaIdentity, endpoints);
    expect(report.outcome).toBe('failed');
    expect(report.evidence).toContain('public.nothing (NOTHING)');
    expect(report.fix?.split('\n')).toEqual([
      'ALTER TABLE "public"."deferred" REPLICA IDENTITY FULL;',
      'ALTER TABLE "public"."leaf2" REPLICA IDENTITY FULL;',
      'ALTER TABLE "public"."no key" REPLICA IDENTITY FULL;',
      'ALTER TABLE "public"."nothing" REPLICA IDENTITY USING INDEX "nothing_pkey";',
      'ALTER TABLE "public"."partial" REPLICA IDENTITY FULL;',
      'ALTER TABLE "public"."usable" REPLICA IDENTITY USING INDEX "short";',
    ]);
    await db.query(report.fix ?? '');
    expect((await runOneCheck(sourceReplicaIdentity, endpoints)).outcome).toBe('passed');
  });

  it('fails for a key that holds a generated column, which is not sent before PostgreSQL 18', async () => {
    const schema = 'CREATE TABLE t (a int, g int GENERATED ALWAYS AS (a * 2) STORED PRIMARY KEY)';
    for (const [major, outcome] of [
      [17, 'failed'],
      [18, 'passed'],
    ] as const) {
      await using db = await testDatabase({ major, schema });
      const report = await runOneCheck(sourceReplicaIdentity, { source: db.endpoint, target: db.endpoint });
      expect(report.outcome).toBe(outcome);
      if (outcome === 'failed') expect(report.fix).toBe('ALTER TABLE "public"."t" REPLICA IDENTITY FULL;');
    }
  });

  it('fails for virtual columns under REPLICA IDENTITY FULL, with a key to use instead if there is one', async () => {
    await using db = await testDatabase({
      major: 18,
      schema: `
        CREATE TABLE keyed (a int PRIMARY KEY, v int GENERATED ALWAYS AS (a * 2)); ALTER TABLE keyed REPLICA IDENTITY FULL;
        CREATE TABLE keyless (a int, v int GENERATED ALWAYS AS (a * 2)); ALTER TABLE keyless REPLICA IDENTITY FULL;`,
    });
    const report = await runOneCheck(sourceReplicaIdentity, { source: db.endpoint, target: db.endpoint });
    expect(report.outcome).toBe('failed');
    expect(report.fix?.split('\n')).toEqual([
      'ALTER TABLE "public"."keyed" REPLICA IDENTITY USING INDEX "keyed_pkey";',
      expect.stringContaining('give it a primary key'),
    ]);
  });

  it('warns of unlogged tables', async () => {
    await using db = await testDatabase({ schema: 'CREATE UNLOGGED TABLE u (id int PRIMARY KEY)' });
    const report = await runOneCheck(sourceReplicaIdentity, { source: db.endpoint, target: db.endpoint });
    expect(report).toMatchObject({ outcome: 'warning', fix: 'ALTER TABLE "public"."u" SET LOGGED;' });
  });

  it('answers fast for ten thousand tables', async () => {
    await using db = await testDatabase({
      schema: `DO $$ BEGIN FOR i IN 1..100 LOOP
        EXECUTE (SELECT string_agg(format('CREATE TABLE t%s_%s (a int)', i, j), ';') FROM generate_series(1, 100) AS j);
      END LOOP; END $$`,
    });
    const startedAt = performance.now();
    const report = await runOneCheck(sourceReplicaIdentity, { source: db.endpoint, target: db.endpoint });
    expect(report.evidence).toMatch(/^10000 without/);
    expect(report.fix?.split('\n')).toHaveLength(101);
    // About 0.2 s; one query for each table would take many times longer.
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });
});
