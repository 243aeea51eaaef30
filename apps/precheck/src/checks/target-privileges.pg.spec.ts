import { describe, expect, it } from '@jest/globals';
import { testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { targetPrivileges } from './target-privileges.js';

describe('target-privileges', () => {
  it('lists what is missing, and passes once it is granted', async () => {
    await using source = await testDatabase({ major: 18, schema: 'CREATE TABLE t (a int); CREATE SCHEMA other' });
    await using target = await testDatabase({ major: 18 });
    const role = await target.createRole();
    const check = (): ReturnType<typeof runOneCheck> =>
      runOneCheck(targetPrivileges, { source: source.endpoint, target: role });
    const report = await check();
    expect(report.outcome).toBe('failed');
    expect(report.fix?.split('\n')).toEqual([
      `GRANT CREATE ON DATABASE "${target.name}" TO "${role.user}";`,
      `GRANT CREATE ON SCHEMA "public" TO "${role.user}";`,
      `GRANT SET ON PARAMETER session_replication_role TO "${role.user}";`,
    ]);
    await target.query(report.fix ?? '');
    expect((await check()).outcome).toBe('passed');
    await target.query(`REVOKE CREATE ON DATABASE ${target.name} FROM ${role.user};
      REVOKE CREATE ON SCHEMA public FROM ${role.user};
      REVOKE SET ON PARAMETER session_replication_role FROM ${role.user}`);
  });

  it('asks for a superuser before PostgreSQL 15', async () => {
    await using db = await testDatabase({ major: 10 });
    const role = await db.createRole();
    const report = await runOneCheck(targetPrivileges, { source: db.endpoint, target: role });
    expect(report.fix).toContain(`ALTER ROLE "${role.user}" SUPERUSER;`);
    expect((await runOneCheck(targetPrivileges, { source: db.endpoint, target: db.endpoint })).outcome).toBe('passed');
  });
});
