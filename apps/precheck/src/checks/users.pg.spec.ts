import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CheckReport, type UserOptions } from '@sluice/contracts';
import { type PostgresServer } from '@sluice/embedded';
import { present } from '@sluice/kernel';
import { type Endpoint } from '@sluice/postgres-client';
import { dedicatedServer, testDatabase, type TestDatabase } from '@sluice/testing';
import { runPrechecks } from '../run-prechecks.js';
import { sourceUnsupportedObjects } from './source-unsupported-objects.js';
import { targetStructure } from './target-structure.js';
import { users } from './users.js';

const CHOSEN: UserOptions = { roles: ['app', 'team'], passwords: true, privileges: true };

describe('users', () => {
  let servers: PostgresServer[];
  let source: TestDatabase;
  let target: TestDatabase;
  beforeAll(async () => {
    // Roles belong to a server: those of other tests must not be among them.
    servers = [await dedicatedServer({ major: 15 }), await dedicatedServer({ major: 18 })];
    source = await testDatabase({ server: present(servers[0], 'the source') });
    target = await testDatabase({ server: present(servers[1], 'the target') });
    await source.query(`CREATE ROLE app LOGIN PASSWORD 'p'; CREATE ROLE team; GRANT team TO app`);
  });
  afterAll(async () => {
    await source[Symbol.asyncDispose]();
    await target[Symbol.asyncDispose]();
    for (const server of servers) await server[Symbol.asyncDispose]();
  });

  async function check(
    options: UserOptions,
    ends: { source?: Endpoint; target?: Endpoint } = {},
  ): Promise<CheckReport> {
    const { checks } = await runPrechecks(
      { source: ends.source ?? source.endpoint, target: ends.target ?? target.endpoint },
      { checks: [users], users: options },
    );
    return present(checks[0], 'the report');
  }

  it('passes when no role is chosen', async () => {
    expect(await check({ ...CHOSEN, roles: [] })).toMatchObject({
      outcome: 'passed',
      evidence: 'no role is synchronized',
    });
  });

  it('passes with the roles that will be created, by name or all', async () => {
    expect(await check(CHOSEN)).toMatchObject({ outcome: 'passed', evidence: '2 will be created: app, team' });
    const all = await check({ ...CHOSEN, roles: 'all' });
    expect(all.outcome).toBe('passed');
    expect(all.evidence).toMatch(/^2 will be created: app, team; \d+ stay as they are$/);
  });

  it('fails for a role that was named and does not exist, or exists on the target', async () => {
    await target.query('CREATE ROLE team');
    const report = await check({ ...CHOSEN, roles: ['team', 'nobody'] });
    expect(report).toMatchObject({
      outcome: 'failed',
      fix: '-- leave role "team" out of the task\n-- leave role "nobody" out of the task',
    });
    expect(report.evidence).toContain('team: the target has a role of this name');
    expect(report.evidence).toContain('nobody: the source has no such role');
    expect((await check({ ...CHOSEN, roles: 'all' })).outcome).toBe('passed');
    await target.query('DROP ROLE team');
  });

  it('fails for an account without CREATEROLE, until it has it', async () => {
    const account = await target.createRole();
    for (const roles of [CHOSEN.roles, 'all' as const]) {
      const report = await check({ ...CHOSEN, roles }, { target: account });
      expect([report.outcome, report.fix]).toEqual([
        'failed',
        `ALTER ROLE "${account.user}" CREATEROLE; -- on the target`,
      ]);
    }
    await target.query(`ALTER ROLE ${account.user} CREATEROLE`);
    expect((await check(CHOSEN, { target: account })).outcome).toBe('passed');
  });

  it('fails when hashes cannot be read, until they can or are not wanted', async () => {
    const reader = await source.createRole();
    const report = await check({ ...CHOSEN, roles: 'all' }, { source: reader });
    expect(report.outcome).toBe('failed');
    expect(report.fix).toMatch(/^GRANT SELECT ON pg_catalog\.pg_authid TO "r_\w+"; -- on the source/m);
    expect((await check({ ...CHOSEN, passwords: false }, { source: reader })).outcome).toBe('passed');
    await source.query(`GRANT SELECT ON pg_authid TO ${reader.user}`);
    expect((await check(CHOSEN, { source: reader })).outcome).toBe('passed');
    await source.query(`REVOKE SELECT ON pg_authid FROM ${reader.user}`);
  });

  it('lets the other checks count on the roles that will be there', async () => {
    await source.query('CREATE TABLE t (id int); ALTER TABLE t OWNER TO app; GRANT SELECT ON t TO team');
    const endpoints = { source: source.endpoint, target: target.endpoint };
    const leftOut = async (options: UserOptions): Promise<string | undefined> => {
      const { checks } = await runPrechecks(endpoints, { checks: [sourceUnsupportedObjects], users: options });
      return checks[0]?.evidence;
    };
    expect(await leftOut(CHOSEN)).toBe('nothing is left out');
    expect(await leftOut({ ...CHOSEN, roles: [] })).toBe('3 left out: role "app", role "app", role "team"');
    await source.query('DROP TABLE t');
  });

  it('lets the structure be tried with the roles that will be there, and leaves none behind', async () => {
    await source.query('CREATE TABLE t (id int); ALTER TABLE t OWNER TO app; GRANT SELECT ON t TO team');
    const account = await target.createRole('CREATEROLE');
    await target.query(`GRANT CREATE ON DATABASE "${target.endpoint.database}" TO ${account.user} WITH GRANT OPTION`);
    await target.query(`GRANT CREATE ON SCHEMA public TO ${account.user} WITH GRANT OPTION`);
    for (const side of [target.endpoint, account]) {
      const endpoints = { source: source.endpoint, target: side };
      const { checks } = await runPrechecks(endpoints, { checks: [targetStructure], users: CHOSEN });
      expect(checks).toMatchObject([{ id: 'target-structure', outcome: 'passed' }]);
    }
    expect(await target.query(`SELECT FROM pg_roles WHERE rolname IN ('app', 'team')`)).toEqual([]);
    await source.query('DROP TABLE t');
  });

  it('warns of roles of "all", and of properties, that the account may not give; fails when they were named', async () => {
    await source.query(
      `CREATE ROLE boss SUPERUSER; ALTER ROLE app SET log_statement TO 'all'; GRANT pg_monitor TO team`,
    );
    const account = await target.createRole('CREATEROLE');
    const report = await check({ ...CHOSEN, roles: 'all' }, { target: account });
    expect(report.outcome).toBe('warning');
    expect(report.evidence).toContain('boss: ');
    expect(report.evidence).toContain('may not give SUPERUSER');
    expect(report.evidence).toContain('team: only a superuser of the target could make it a member of pg_monitor');
    expect(report.evidence).toContain('setting log_statement of role "app"');
    const named = await check({ ...CHOSEN, roles: ['boss', 'team'] }, { target: account });
    expect(named.outcome).toBe('failed');
    expect(named.fix).toMatch(/leave role "boss" out.*\n.*leave role "team" out/);
    expect((await check({ ...CHOSEN, roles: 'all' })).outcome).toBe('passed');
    await source.query(`DROP ROLE boss; ALTER ROLE app RESET log_statement; REVOKE pg_monitor FROM team`);
  });
});
