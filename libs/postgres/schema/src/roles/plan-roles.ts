import { type RoleObstacle, type UserOptions } from '@sluice/contracts';
import { readRows, readVersionNum, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier } from '@sluice/postgres-client';
import { type ClientBase } from 'pg';
import { type AclItem, grantsOf } from '../attributes/acl.js';
import { type UnsupportedObject } from '../plan.js';
import { findObstacles, type RoleCircumstances, type RoleWishes } from './judge-role.js';
import { type Membership, readMemberships } from './membership.js';
import { planMemberships } from './plan-memberships.js';
import { mayReadPasswords, readRoles, type RoleFacts } from './role-facts.js';
import { parseSetting, readSettable } from './role-settings.js';
import { readTargetAccount, type TargetAccount } from './target-account.js';

export interface RoleSides {
  readonly source: ClientBase;
  readonly target: ClientBase;
}

/** A role that a task was told to bring, and that cannot be brought. */
export interface RefusedRole {
  readonly name: string;
  readonly obstacles: readonly RoleObstacle[];
  /** The source has no such role. */
  readonly isMissing: boolean;
}

export interface RolePlan {
  readonly account: TargetAccount;
  readonly wishes: RoleWishes;
  /** To be created. Of their settings only those that the account may give. */
  readonly roles: readonly RoleFacts[];
  readonly memberships: readonly Membership[];
  /** GRANT … ON DATABASE. */
  readonly databaseGrants: readonly string[];
  readonly refused: readonly RefusedRole[];
  /** Properties of created roles that the target will not have. */
  readonly omitted: readonly UnsupportedObject[];
}

/** Reads what decides about roles, on both sides. Tested on PostgreSQL 10–18. */
export async function readCircumstances({ source, target }: RoleSides, wishes: RoleWishes): Promise<RoleCircumstances> {
  const roles = await readRoles(source);
  return {
    account: await readTargetAccount(target),
    wishes,
    arePasswordsReadable: await mayReadPasswords(source),
    roles: new Map(roles.map((role) => [role.name, role])),
    memberships: await readMemberships(source, await readVersionNum(source)),
  };
}

/** Plans which roles are created, and with what. Neither side is changed, and no password is read. */
export async function planRoles(sides: RoleSides, users: UserOptions): Promise<RolePlan> {
  const circumstances = await readCircumstances(sides, users);
  const { account, roles: known } = circumstances;
  const chosen = users.roles === 'all' ? [...known.keys()] : users.roles;
  const refused: RefusedRole[] = [];
  const creatable: RoleFacts[] = [];
  for (const name of chosen) {
    const role = known.get(name);
    const obstacles = role ? findObstacles(role, circumstances) : [];
    if (role && obstacles.length === 0) creatable.push(role);
    else refused.push({ name, obstacles, isMissing: !role });
  }
  const brought = new Set(creatable.map(({ name }) => name));
  const { roles, omitted: settings } = await withoutUnsettable(sides.target, creatable);
  const memberships = users.privileges
    ? planMemberships({ ...circumstances, brought })
    : { memberships: [], omitted: [] };
  const grants = users.privileges ? await planDatabaseGrants(sides.source, { account, brought }) : NO_GRANTS;
  return {
    account,
    wishes: users,
    roles,
    memberships: memberships.memberships,
    databaseGrants: grants.statements,
    refused,
    omitted: [...settings, ...memberships.omitted, ...grants.omitted],
  };
}

async function withoutUnsettable(
  target: ClientBase,
  roles: readonly RoleFacts[],
): Promise<{ roles: RoleFacts[]; omitted: UnsupportedObject[] }> {
  const names = roles.flatMap(({ settings, databaseSettings }) => [...settings, ...databaseSettings]).map(nameOf);
  if (names.length === 0) return { roles: [...roles], omitted: [] };
  const settable = await readSettable(target, [...new Set(names)]);
  const isSettable = (setting: string): boolean => settable.has(nameOf(setting));
  return {
    roles: roles.map((role) => ({
      ...role,
      settings: role.settings.filter(isSettable),
      databaseSettings: role.databaseSettings.filter(isSettable),
    })),
    omitted: roles.flatMap(({ name, settings, databaseSettings }) =>
      [...settings, ...databaseSettings]
        .filter((setting) => !isSettable(setting))
        .map((setting) => ({
          kind: 'setting',
          identity: `setting ${nameOf(setting)} of role ${quoteIdentifier(name)}`,
          reason: 'the target does not know it, or its account may not set it',
        })),
    ),
  };
}

function nameOf(setting: string): string {
  return parseSetting(setting).name;
}

interface DatabaseGrants {
  readonly statements: readonly string[];
  readonly omitted: readonly UnsupportedObject[];
}

const NO_GRANTS: DatabaseGrants = { statements: [], omitted: [] };

/** Privileges on the database itself, which no dump of its structure has. */
async function planDatabaseGrants(
  source: ClientBase,
  { account, brought }: { readonly account: TargetAccount; readonly brought: ReadonlySet<string> },
): Promise<DatabaseGrants> {
  const items = await readRows<AclItem>(
    source,
    sql`
    SELECT g.rolname::text AS grantee, '' AS grantor, x.privilege_type AS privilege, x.is_grantable AS "isGrantable",
      NULL AS column
    FROM pg_catalog.pg_database d
    CROSS JOIN LATERAL pg_catalog.aclexplode(d.datacl) WITH ORDINALITY x(grantor, grantee, privilege_type, is_grantable, position)
    JOIN pg_catalog.pg_roles g ON g.oid = x.grantee
    WHERE d.datname = pg_catalog.current_database() AND g.rolname::text = ANY ($1::text[])
    ORDER BY g.rolname::text COLLATE "C", x.position`,
    [[...brought]],
  );
  const grants = grantsOf(items, `DATABASE ${quoteIdentifier(account.databaseName)}`);
  if (account.isSuperuser || account.ownsDatabase) return { statements: grants.map((grant) => grant.sql), omitted: [] };
  return {
    statements: [],
    omitted: [...new Set(grants.map(({ grantee }) => grantee ?? ''))].map((grantee) => ({
      kind: 'privilege',
      identity: `privileges of role ${quoteIdentifier(grantee)} on the database`,
      reason: `${account.name} does not own the database of the target`,
    })),
  };
}
