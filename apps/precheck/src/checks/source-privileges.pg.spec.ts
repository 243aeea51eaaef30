import { describe, expect, it } from '@jest/globals';
import { testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { runPrechecks } from '../run-prechecks.js';
import { sourcePrivileges } from './source-privileges.js';

const SCHEMA = `CREATE SCHEMA app; CREATE TABLE app.t (id int); CREATE SEQUENCE app."S q";
  CREATE TABLE app.p (id int) PARTITION BY LIST (id); REVOKE ALL ON SCHEMA public FROM PUBLIC`;

describe('source-privileges', () => {
  it.each([10, 18] as const)('lists what is missing on PostgreSQL %i, and passes once it is granted', async (major) => {
    await using db = await testDatabase({ major, schema: SCHEMA });
    await using other = await testDatabase({ major });
    const role = await db.createRole();
    const report = await runOneCheck(sourcePrivileges, { source: role, target: other.endpoint });
    expect(report.outcome).toBe('failed');
    expect(report.fix?.split('\n')).toEqual([
      `ALTER ROLE "${role.user}" REPLICATION;`,
      `GRANT CREATE ON DATABASE "${db.name}" TO "${role.user}";`,
      `GRANT USAGE ON SCHEMA "app" TO "${role.user}";`,
      `GRANT USAGE ON SCHEMA "public" TO "${role.user}";`,
      `GRANT SELECT ON SEQUENCE "app"."S q" TO "${role.user}";`,
      `GRANT SELECT ON TABLE "app"."p" TO "${role.user}";`,
      `GRANT SELECT ON TABLE "app"."t" TO "${role.user}";`,
      `GRANT "postgres" TO "${role.user}";`,
    ]);
    await db.query(report.fix ?? '');
    const again = await runOneCheck(sourcePrivileges, { source: role, target: other.endpoint });
    expect(again.outcome).toBe('passed');
    await db.query(`REVOKE CREATE ON DATABASE ${db.name} FROM ${role.user}; REVOKE postgres FROM ${role.user};
      REVOKE ALL ON SCHEMA app, public FROM ${role.user}; REVOKE ALL ON ALL TABLES IN SCHEMA app FROM ${role.user};
      REVOKE ALL ON ALL SEQUENCES IN SCHEMA app FROM ${role.user}`);
  });

  it('asks for no more than reading when no changes follow', async () => {
    await using db = await testDatabase({ schema: SCHEMA });
    await using other = await testDatabase();
    const endpoints = { source: await db.createRole(), target: other.endpoint };
    const { checks } = await runPrechecks(endpoints, { checks: [sourcePrivileges], syncType: 'full' });
    expect(checks[0]?.fix).toMatch(/^(GRANT (USAGE ON SCHEMA|SELECT ON (TABLE|SEQUENCE)) .*;\n?)+$/);
  });

  it('passes for a superuser', async () => {
    await using db = await testDatabase({ schema: SCHEMA });
    const report = await runOneCheck(sourcePrivileges, { source: db.endpoint, target: db.endpoint });
    expect(report.outcome).toBe('passed');
  });
});
