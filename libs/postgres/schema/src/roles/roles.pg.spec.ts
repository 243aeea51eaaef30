import { afterAll, describe, expect, it } from '@jest/globals';
import { type UserOptions } from '@sluice/contracts';
import { type PostgresMajor, type PostgresServer } from '@sluice/embedded';
import { Secret } from '@sluice/kernel';
import {
  type Client,
  connect,
  type Endpoint,
  inTransaction,
  quoteIdentifier,
  VALUE_SETTINGS,
} from '@sluice/postgres-client';
import { dedicatedServer, testDatabase, type TestDatabase } from '@sluice/testing';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { createRoles, type CreatedRole } from './create-roles.js';
import { planRoles, type RolePlan } from './plan-roles.js';
import { readPasswordHashes } from './role-facts.js';
import { bringMemberships, releaseRoles } from './settle-memberships.js';

/** Roles belong to a server, so that each test needs servers without those of others. */
const servers = new Map<string, Promise<PostgresServer>>();
afterAll(async () => {
  for (const server of servers.values()) await (await server)[Symbol.asyncDispose]();
});

function server(side: 'source' | 'target', major: PostgresMajor): Promise<PostgresServer> {
  const key = `${side} ${major}`;
  const started = servers.get(key) ?? dedicatedServer({ major, settings: { log_statement: 'ddl' } });
  servers.set(key, started);
  return started;
}

const DATABASE = 'shop';
const ODD = 'Odd "role" ü';

const ROLES = `
  CREATE ROLE app_group NOINHERIT;
  CREATE ROLE app_owner LOGIN PASSWORD 'secret-owner' CREATEROLE CREATEDB;
  CREATE ROLE ${quoteIdentifier(ODD)} LOGIN PASSWORD 'secret-odd' CONNECTION LIMIT 3 VALID UNTIL '2091-02-03 04:05:06+02';
  CREATE ROLE no_password LOGIN VALID UNTIL 'infinity';
  SET password_encryption = md5; CREATE ROLE old_hash LOGIN PASSWORD 'secret-md5'; RESET password_encryption;
  ALTER ROLE app_owner SET search_path TO "$user", "odd, schema", public;
  ALTER ROLE app_owner SET work_mem TO '8MB';
  ALTER ROLE app_owner SET app.tenant TO 'it''s = "one"';
  ALTER ROLE app_owner IN DATABASE ${DATABASE} SET statement_timeout TO '5s';
  ALTER ROLE app_owner SET role TO app_group;
  COMMENT ON ROLE app_owner IS 'owns it''s';
  GRANT app_group TO app_owner WITH ADMIN OPTION;
  GRANT app_group TO old_hash GRANTED BY app_owner;
  GRANT pg_monitor TO ${quoteIdentifier(ODD)};
  GRANT CREATE, TEMPORARY ON DATABASE ${DATABASE} TO app_owner WITH GRANT OPTION`;
/** What only a superuser may give. */
const MIGHTY = `
  CREATE ROLE boss SUPERUSER;
  CREATE ROLE copier REPLICATION;
  CREATE ROLE all_seeing BYPASSRLS;
  ALTER ROLE app_owner SET log_min_duration_statement TO '100ms'`;
const NAMES = ['app_group', 'app_owner', ODD, 'no_password', 'old_hash'];
const base64 = (bytes: number): string => Buffer.alloc(bytes, 7).toString('base64');
/** A hash in form, which PostgreSQL 18 refuses inside ALTER ROLE. */
const TOO_LONG = `SCRAM-SHA-256$4096:${base64(600)}$${base64(32)}:${base64(32)}`;
const CLEAN = `DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT rolname FROM pg_roles WHERE oid >= 16384 AND rolname <> current_user LOOP
    EXECUTE format('DROP OWNED BY %I CASCADE', name);
  END LOOP;
  FOR name IN SELECT rolname FROM pg_roles WHERE oid >= 16384 AND rolname <> current_user LOOP
    EXECUTE format('DROP ROLE %I', name);
  END LOOP; END $$`;

interface Pair extends AsyncDisposable {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
}

async function pair(sourceMajor: PostgresMajor, targetMajor: PostgresMajor, roles: string): Promise<Pair> {
  const open = async (side: 'source' | 'target', major: PostgresMajor): Promise<TestDatabase> => {
    const database = await testDatabase({ server: await server(side, major), name: DATABASE });
    await database.query(CLEAN);
    return database;
  };
  const [source, target] = [await open('source', sourceMajor), await open('target', targetMajor)];
  await source.query(roles);
  return {
    source,
    target,
    [Symbol.asyncDispose]: async () => {
      await source[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    },
  };
}

const session = (endpoint: Endpoint): Promise<Client> =>
  connect(endpoint, { applicationName: 'test', settings: VALUE_SETTINGS });

const ALL: UserOptions = { roles: 'all', passwords: true, privileges: true };

/** As a load does it. */
async function bring(
  { source, target }: { readonly source: Endpoint; readonly target: Endpoint },
  users: UserOptions,
): Promise<{ plan: RolePlan; created: CreatedRole[]; texts: string[] }> {
  await using from = await session(source);
  await using to = await session(target);
  const plan = await planRoles({ source: from, target: to }, users);
  const names = plan.roles.map(({ name }) => name);
  const passwords = users.passwords ? await readPasswordHashes(from, names) : new Map<string, Secret>();
  const texts: string[] = [];
  const query = to.query.bind(to);
  to.query = ((text: string, values?: unknown[]) => {
    texts.push(text);
    return query(text, values);
  }) as typeof to.query;
  const created = await inTransaction(to, 'BEGIN', () => createRoles(to, plan, passwords));
  return { plan, created, texts };
}

/** Everything of the roles that people made, but for those of the account; OIDs aside. */
function catalog(database: TestDatabase, versionNum: number, except = ''): Promise<unknown> {
  const options = versionNum >= 16 ? ', a.inherit_option, a.set_option' : '';
  return Promise.all([
    database.query(
      `SELECT r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication,
         r.rolbypassrls, r.rolconnlimit, r.rolpassword, r.rolvaliduntil, shobj_description(r.oid, 'pg_authid')
       FROM pg_authid r WHERE r.oid >= 16384 AND r.rolname <> $1 ORDER BY r.rolname COLLATE "C"`,
      [except],
    ),
    database.query(
      `SELECT r.rolname, d.datname, s.setconfig FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
       LEFT JOIN pg_database d ON d.oid = s.setdatabase ORDER BY 1, 2`,
    ),
    database.query(
      `SELECT a.roleid::regrole::text, a.member::regrole::text, a.grantor::regrole::text, a.admin_option${options}
       FROM pg_auth_members a WHERE a.member >= 16384 ORDER BY 1, 2, 3`,
    ),
    database.query(`SELECT datacl FROM pg_database WHERE datname = current_database()`),
  ]);
}

async function memberships(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ text: string }>(
    `SELECT format('%s in %s%s', member::regrole, roleid::regrole, CASE WHEN admin_option THEN ' as admin' END) COLLATE "C" AS text
     FROM pg_auth_members WHERE member >= 16384 ORDER BY 1`,
  );
  return rows.map(({ text }) => text);
}

describe('roles', () => {
  it.each([
    [12, 15],
    [15, 15],
    [15, 18],
    [18, 18],
  ] as const)('arrive on %s → %s as they are', async (sourceMajor, targetMajor) => {
    await using both = await pair(sourceMajor, targetMajor, `${ROLES}; ${MIGHTY}`);
    const { plan } = await bring({ source: both.source.endpoint, target: both.target.endpoint }, ALL);
    expect(plan.roles.map(({ name }) => name)).toEqual([...NAMES, 'boss', 'copier', 'all_seeing'].toSorted());
    expect(plan.omitted).toEqual([]);
    const [from, to] = [await catalog(both.source, sourceMajor), await catalog(both.target, sourceMajor)];
    expect(to).toEqual(from);
    for (const [user, password] of [
      ['app_owner', 'secret-owner'],
      [ODD, 'secret-odd'],
    ] as const) {
      await using client = await connect(
        { ...both.target.endpoint, user, password: new Secret(password) },
        { applicationName: 'test' },
      );
      const { rows } = await client.query('SELECT session_user AS name');
      expect(rows).toEqual([{ name: user }]);
    }
  });

  it('make equal dumps', async () => {
    const program = '/usr/lib/postgresql/15/bin/pg_dumpall';
    await using both = await pair(15, 15, `${ROLES}; ${MIGHTY}`);
    await bring({ source: both.source.endpoint, target: both.target.endpoint }, ALL);
    const dump = async ({ endpoint: { host, port, user, password } }: TestDatabase): Promise<string[]> => {
      const { stdout } = await promisify(execFile)(
        program,
        ['--roles-only', '-h', host, '-p', String(port), '-U', user],
        {
          env: { PGPASSWORD: password.reveal() },
        },
      );
      return stdout.split('\n').filter((line) => !/^(--|\\)|ROLE "?postgres"?[ ;]/.test(line));
    };
    const dumped = await dump(both.source);
    expect(dumped.join('\n')).toContain('app_owner');
    expect(await dump(both.target)).toEqual(dumped);
  });

  it.each([15, 18] as const)(
    'come with an account of %s that has CREATEROLE only, and are its for the time of the task',
    async (major) => {
      await using both = await pair(major, major, `${ROLES}; ${MIGHTY}`);
      await using groups = await testDatabase({ server: both.target.server });
      const account = await both.target.createRole(`CREATEROLE ${major >= 16 ? 'CREATEDB' : ''}`);
      await groups.query(`ALTER DATABASE ${DATABASE} OWNER TO ${account.user}`);
      const ends = { source: both.source.endpoint, target: account };
      const { plan, created } = await bring(ends, ALL);
      const reasons = Object.fromEntries(
        plan.refused.map(({ name, obstacles }) => [name, obstacles.map(({ kind }) => kind)]),
      );
      expect(reasons).toMatchObject({
        postgres: ['reserved', 'exists_on_target', 'attribute_not_grantable'],
        boss: ['attribute_not_grantable'],
        copier: ['attribute_not_grantable'],
        all_seeing: ['attribute_not_grantable'],
        // Before 16 CREATEROLE grants what it likes.
        ...(major >= 16 && { [ODD]: ['superuser_grantor'] }),
      });
      expect(plan.omitted.map(({ identity }) => identity)).toEqual([
        'setting app.tenant of role "app_owner"',
        'setting log_min_duration_statement of role "app_owner"',
      ]);
      expect(created).toContainEqual({ name: 'app_owner', isAccountMember: true });
      {
        await using client = await session(account);
        await client.query('CREATE SCHEMA theirs AUTHORIZATION app_owner; SET ROLE app_owner; RESET ROLE');
        await client.query('CREATE TABLE theirs.t (id int)');
        await releaseRoles(client, created);
        await expect(client.query('SELECT FROM theirs.t; SET ROLE app_owner')).rejects.toThrow(/permission denied/);
      }
      expect((await memberships(both.target)).filter((text) => !text.includes(account.user))).toEqual(
        (await memberships(both.source)).filter((text) => major < 16 || !text.includes('pg_monitor')),
      );
      await groups.query(`ALTER DATABASE ${DATABASE} OWNER TO postgres`);
      await both.target.query(CLEAN.replaceAll('current_user', `'${account.user}'`));
    },
  );

  it('keep the account that the server makes a member of what it creates', async () => {
    await using both = await pair(18, 18, 'CREATE ROLE app_group');
    const account = await both.target.createRole('CREATEROLE');
    await both.target.query(`ALTER ROLE ${account.user} SET createrole_self_grant TO 'set, inherit'`);
    const { created } = await bring({ source: both.source.endpoint, target: account }, ALL);
    expect(created).toEqual([{ name: 'app_group', isAccountMember: false }]);
    await using client = await session(account);
    await releaseRoles(client, created);
    await client.query('SET ROLE app_group');
    await both.target.query(CLEAN.replaceAll('current_user', `'${account.user}'`));
  });

  it('that were not chosen, or exist on the target, stay as they are', async () => {
    await using both = await pair(15, 15, ROLES);
    await both.target.query(`CREATE ROLE app_owner; CREATE ROLE app_group`);
    const users: UserOptions = { roles: ['app_owner', ODD, 'nobody'], passwords: false, privileges: false };
    const { plan } = await bring({ source: both.source.endpoint, target: both.target.endpoint }, users);
    expect(plan.refused.map(({ name, isMissing }) => [name, isMissing])).toEqual([
      ['app_owner', false],
      ['nobody', true],
    ]);
    expect(
      await both.target.query(
        `SELECT rolname, rolcanlogin, rolpassword, rolconnlimit FROM pg_authid WHERE oid >= 16384 ORDER BY rolname COLLATE "C"`,
      ),
    ).toEqual([
      { rolname: ODD, rolcanlogin: true, rolpassword: null, rolconnlimit: 3 },
      { rolname: 'app_group', rolcanlogin: false, rolpassword: null, rolconnlimit: -1 },
      { rolname: 'app_owner', rolcanlogin: false, rolpassword: null, rolconnlimit: -1 },
    ]);
    expect(await memberships(both.target)).toEqual([]);
  });

  it('leave nothing when one cannot be created, and no password anywhere', async () => {
    await using both = await pair(15, 18, ROLES);
    const { texts } = await bring({ source: both.source.endpoint, target: both.target.endpoint }, ALL);
    const hashes = (
      await both.source.query<{ hash: string }>(
        `SELECT rolpassword AS hash FROM pg_authid WHERE rolpassword IS NOT NULL`,
      )
    ).map(({ hash }) => hash);
    expect(hashes).toHaveLength(4);
    await both.target.query(CLEAN);

    await using from = await session(both.source.endpoint);
    await using to = await session(both.target.endpoint);
    const plan = await planRoles({ source: from, target: to }, ALL);
    const passwords = new Map([...(await readPasswordHashes(from, NAMES)), ['old_hash', new Secret(TOO_LONG)]]);
    const failure = await inTransaction(to, 'BEGIN', () => createRoles(to, plan, passwords)).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: 'SLUICE-3020',
      detail: 'role "old_hash": encrypted password is too long',
    });
    expect(await both.target.query('SELECT FROM pg_roles WHERE oid >= 16384')).toEqual([]);

    const log = readFileSync(path.join(both.target.server.dataDir, 'server.log'), 'utf8');
    expect(log).toContain('CREATE ROLE "app_owner"');
    const seen = [texts.join('\n'), log, String(failure), JSON.stringify(failure), JSON.stringify(plan)].join('\n');
    for (const hash of hashes) expect(seen).not.toContain(hash);
    expect(seen).not.toMatch(/SCRAM-SHA-256\$|md5[0-9a-f]{32}/);
  });
});

describe('bringMemberships', () => {
  it.each([
    [12, 15],
    [18, 18],
  ] as const)('brings what was granted, changed and revoked since, on %s → %s', async (sourceMajor, targetMajor) => {
    await using both = await pair(sourceMajor, targetMajor, ROLES);
    const ends = { source: both.source.endpoint, target: both.target.endpoint };
    const { created } = await bring(ends, ALL);
    await both.source.query(`
      REVOKE app_group FROM old_hash GRANTED BY app_owner;
      REVOKE ADMIN OPTION FOR app_group FROM app_owner;
      GRANT app_group TO no_password;
      GRANT pg_signal_backend TO no_password;
      CREATE ROLE later; GRANT app_group TO later`);
    await both.target.query(`GRANT pg_read_all_stats TO no_password`);
    await using source = await session(both.source.endpoint);
    await using target = await session(both.target.endpoint);
    for (let time = 0; time < 2; time += 1) {
      await inTransaction(target, 'BEGIN', () =>
        bringMemberships(
          { source, target },
          created.map(({ name }) => name),
        ),
      );
    }
    expect(await memberships(both.target)).toEqual([
      `${quoteIdentifier(ODD)} in pg_monitor`,
      'app_owner in app_group',
      'no_password in app_group',
      'no_password in pg_read_all_stats',
      'no_password in pg_signal_backend',
    ]);
  });
});
