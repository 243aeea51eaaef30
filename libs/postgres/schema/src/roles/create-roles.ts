import { SluiceError } from '@sluice/contracts';
import { type Secret } from '@sluice/kernel';
import { quoteIdentifier, quoteLiteral } from '@sluice/postgres-client';
import { type ClientBase } from 'pg';
import { grantMembership, GRANT_OPTIONS_SINCE } from './membership.js';
import { type RolePlan } from './plan-roles.js';
import { type RoleFacts } from './role-facts.js';
import { assignmentOf, parseSetting } from './role-settings.js';
import { type TargetAccount } from './target-account.js';

export interface CreatedRole {
  readonly name: string;
  /** The account was made a member of it, so that it can give it objects and write to them. */
  readonly isAccountMember: boolean;
}

/**
 * Creates the roles of a plan, then what they are members of. The caller owns the transaction: after a crash there are all
 * of them or none.
 * @throws SluiceError 3001 with the role and the server's error; never with a password.
 */
export async function createRoles(
  target: ClientBase,
  plan: RolePlan,
  passwords: ReadonlyMap<string, Secret>,
): Promise<CreatedRole[]> {
  const { account, roles, memberships, databaseGrants } = plan;
  const joined = new Set<string>();
  await quietWarnings(target);
  for (const role of roles) {
    await run(target, role.name, creationOf(role));
    const hash = passwords.get(role.name);
    if (hash) await setPassword(target, role.name, hash);
  }
  for (const { name } of roles) {
    if (account.isSuperuser || (await actsAs(target, name, account))) continue;
    await run(target, name, membershipOfAccount(name, plan));
    joined.add(name);
  }
  // After all of them: a setting can name another role, which the account must be allowed to take.
  for (const role of roles) {
    for (const statement of attributesOf(role, plan)) await run(target, role.name, statement);
  }
  for (const membership of memberships) {
    await run(target, membership.member, grantMembership(membership, account.versionNum));
  }
  for (const grant of databaseGrants) await run(target, account.databaseName, grant);
  return roles.map(({ name }) => ({ name, isAccountMember: joined.has(name) }));
}

/** Attributes as CREATE ROLE names them; those that every role has when nothing is said are left out. */
export function attributeWords(role: RoleFacts): string[] {
  return [
    role.canLogIn ? 'LOGIN' : 'NOLOGIN',
    ...(role.isSuperuser ? ['SUPERUSER'] : []),
    ...(role.canCreateDb ? ['CREATEDB'] : []),
    ...(role.canCreateRole ? ['CREATEROLE'] : []),
    ...(role.canReplicate ? ['REPLICATION'] : []),
    ...(role.bypassesRls ? ['BYPASSRLS'] : []),
    ...(role.inherits ? [] : ['NOINHERIT']),
    ...(role.connectionLimit === -1 ? [] : [`CONNECTION LIMIT ${role.connectionLimit}`]),
    ...(role.validUntil === null ? [] : [`VALID UNTIL ${quoteLiteral(role.validUntil)}`]),
  ];
}

function creationOf(role: RoleFacts): string {
  return `CREATE ROLE ${quoteIdentifier(role.name)} ${attributeWords(role).join(' ')}`;
}

function attributesOf(role: RoleFacts, { account }: RolePlan): string[] {
  const name = quoteIdentifier(role.name);
  const database = quoteIdentifier(account.databaseName);
  const written = (setting: string): string => assignmentOf(parseSetting(setting));
  return [
    ...role.settings.map((setting) => `ALTER ROLE ${name} SET ${written(setting)}`),
    ...role.databaseSettings.map((setting) => `ALTER ROLE ${name} IN DATABASE ${database} SET ${written(setting)}`),
    ...(role.comment === null ? [] : [`COMMENT ON ROLE ${name} IS ${quoteLiteral(role.comment)}`]),
  ];
}

/** With `createrole_self_grant` a creator is a member already, and stays it. */
async function actsAs(target: ClientBase, name: string, { versionNum }: TargetAccount): Promise<boolean> {
  const privileges = versionNum >= GRANT_OPTIONS_SINCE ? ['USAGE', 'SET'] : ['USAGE'];
  const { rows } = await target.query<{ acts: boolean }>(
    `SELECT pg_catalog.bool_and(pg_catalog.pg_has_role($1::text, asked.privilege)) AS acts
     FROM unnest($2::text[]) AS asked(privilege)`,
    [name, privileges],
  );
  return rows[0]?.acts === true;
}

/**
 * Who is no superuser gives objects only to roles that it is a member of, and writes to them afterwards. Ended with the
 * task. Since PostgreSQL 16 a creator has ADMIN OPTION alone.
 */
function membershipOfAccount(role: string, { account: { name, versionNum } }: RolePlan): string {
  const options = versionNum >= GRANT_OPTIONS_SINCE ? ' WITH INHERIT TRUE, SET TRUE' : '';
  return `GRANT ${quoteIdentifier(role)} TO ${quoteIdentifier(name)}${options}`;
}

/** Says what went wrong without what was tried, as a server's error repeats the statement in its context. */
const SET_PASSWORD = `
  DO $$ BEGIN
    EXECUTE pg_catalog.format('ALTER ROLE %I PASSWORD %L',
      pg_catalog.current_setting('sluice.role'), pg_catalog.current_setting('sluice.password'));
  EXCEPTION WHEN OTHERS THEN RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM;
  END $$`;

/** A warning has the statement in its context, too. Since PostgreSQL 18 there is one about MD5. */
async function quietWarnings(target: ClientBase): Promise<void> {
  await target.query(
    `SELECT pg_catalog.set_config(name, 'off', true) FROM pg_catalog.pg_settings WHERE name = 'md5_password_warnings'`,
  );
}

/**
 * The hash travels as a parameter: the text of a statement is in pg_stat_activity, in traces, and in the log of a server
 * with log_statement = ddl (I9).
 */
async function setPassword(target: ClientBase, role: string, hash: Secret): Promise<void> {
  try {
    await target.query(
      `SELECT pg_catalog.set_config('sluice.role', $1, true), pg_catalog.set_config('sluice.password', $2, true)`,
      [role, hash.reveal()],
    );
    await target.query(SET_PASSWORD);
    await target.query(`SELECT pg_catalog.set_config('sluice.password', '', true)`);
  } catch (error) {
    throw failure(role, error);
  }
}

async function run(target: ClientBase, name: string, statement: string): Promise<void> {
  try {
    await target.query(statement);
  } catch (error) {
    throw failure(name, error);
  }
}

function failure(name: string, error: unknown): SluiceError {
  const message = error instanceof Error ? error.message : String(error);
  return new SluiceError('SLUICE-3020', { detail: `role ${quoteIdentifier(name)}: ${message}`, cause: error });
}
