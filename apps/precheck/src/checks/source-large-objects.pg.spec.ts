import { describe, expect, it } from '@jest/globals';
import { testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { runPrechecks } from '../run-prechecks.js';
import { sourceLargeObjects } from './source-large-objects.js';

describe('source-large-objects', () => {
  it('warns with their number, as they are copied and not followed', async () => {
    await using db = await testDatabase();
    await using other = await testDatabase();
    const endpoints = { source: db.endpoint, target: other.endpoint };
    expect((await runOneCheck(sourceLargeObjects, endpoints)).outcome).toBe('passed');
    await db.query('SELECT lo_create(0) FROM generate_series(1, 3)');
    expect(await runOneCheck(sourceLargeObjects, endpoints)).toMatchObject({
      outcome: 'warning',
      evidence: '3 large objects on the source',
      reason: expect.stringMatching(/^They are copied once/),
    });
    const { checks: full } = await runPrechecks(endpoints, { checks: [sourceLargeObjects], syncType: 'full' });
    expect(full[0]).toMatchObject({ outcome: 'passed', evidence: '3 are copied' });
    const { checks: changes } = await runPrechecks(endpoints, {
      checks: [sourceLargeObjects],
      syncType: 'incremental',
    });
    expect(changes[0]).toMatchObject({ outcome: 'warning', reason: expect.stringContaining('gets none of them') });
    const ofTables = await runOneCheck(sourceLargeObjects, endpoints, { selection: { level: 'table', objects: [] } });
    expect(ofTables).toMatchObject({ outcome: 'passed', evidence: '3 left out: they belong to no table' });
  });

  it('names their roles that the target lacks', async () => {
    await using db = await testDatabase({ major: 15, schema: 'SELECT lo_create(70001), lo_create(70002)' });
    await using other = await testDatabase({ major: 18 });
    const [owner, reader] = [(await db.createRole()).user, (await db.createRole()).user];
    await db.query(`ALTER LARGE OBJECT 70001 OWNER TO ${owner}; GRANT SELECT ON LARGE OBJECT 70002 TO ${reader}`);
    const endpoints = { source: db.endpoint, target: other.endpoint };
    const { checks } = await runPrechecks(endpoints, { checks: [sourceLargeObjects], syncType: 'full' });
    expect(checks[0]).toMatchObject({
      outcome: 'warning',
      evidence: `2 large objects on the source; their roles that the target lacks: ${[owner, reader].sort().join(', ')}`,
      reason: expect.stringMatching(/^What such a role owns/),
    });
    await db.query(`DROP OWNED BY ${owner}, ${reader}`);
  });

  it.each([10, 15, 18] as const)(
    'names those that may not be read on PostgreSQL %i, unless all may be',
    async (major) => {
      await using db = await testDatabase({
        major,
        schema: `SELECT lo_create(i) FROM generate_series(70001, 70004) AS i; GRANT SELECT ON LARGE OBJECT 70002 TO PUBLIC`,
      });
      await using other = await testDatabase({ major });
      const role = await db.createRole();
      await db.query(
        `ALTER LARGE OBJECT 70001 OWNER TO ${role.user}; GRANT UPDATE ON LARGE OBJECT 70003 TO ${role.user}`,
      );
      const endpoints = { source: role, target: other.endpoint };
      const report = await runOneCheck(sourceLargeObjects, endpoints);
      expect(report).toMatchObject({
        outcome: 'failed',
        evidence: `${role.user} may not read 2 of 4: 70003 of postgres, 70004 of postgres`,
        fix: `GRANT SELECT ON LARGE OBJECT 70003 TO "${role.user}";\nGRANT SELECT ON LARGE OBJECT 70004 TO "${role.user}";`,
      });
      await db.query(`ALTER DATABASE "${db.name}" SET lo_compat_privileges = on`);
      expect((await runOneCheck(sourceLargeObjects, endpoints)).outcome).toBe('warning');
      await db.query(`ALTER DATABASE "${db.name}" RESET lo_compat_privileges`);
      await db.query(report.fix ?? '');
      expect((await runOneCheck(sourceLargeObjects, endpoints)).outcome).toBe('warning');
      await db.query(`DROP OWNED BY ${role.user}`);
    },
  );
});
