import { readRows, readVersionNum, since, sql } from '@sluice/postgres-catalog';
import { type ClientBase } from 'pg';
import { GRANT_OPTIONS_SINCE } from './membership.js';

/** What the connecting role of the target may do about roles. */
export interface TargetAccount {
  readonly versionNum: number;
  readonly name: string;
  readonly isSuperuser: boolean;
  readonly canCreateRole: boolean;
  readonly canCreateDb: boolean;
  readonly canReplicate: boolean;
  readonly bypassesRls: boolean;
  /** It can grant privileges on the database to others. */
  readonly ownsDatabase: boolean;
  readonly databaseName: string;
  readonly roles: ReadonlyMap<string, TargetRole>;
}

export interface TargetRole {
  readonly isSuperuser: boolean;
  /** The account is a member of it, directly or not. */
  readonly isParent: boolean;
  /** It is a member of the account, directly or not. */
  readonly isChild: boolean;
  /** The account may make others a member of it. */
  readonly isGrantable: boolean;
}

interface RoleRow extends TargetRole {
  readonly name: string;
}

type AccountRow = Omit<TargetAccount, 'versionNum' | 'roles'>;

/** Tested on PostgreSQL 10–18. */
export async function readTargetAccount(target: ClientBase): Promise<TargetAccount> {
  const versionNum = await readVersionNum(target);
  const [account] = await readRows<AccountRow>(
    target,
    sql`
    SELECT r.rolname::text AS name, r.rolsuper AS "isSuperuser", r.rolcreaterole AS "canCreateRole",
      r.rolcreatedb AS "canCreateDb", r.rolreplication AS "canReplicate", r.rolbypassrls AS "bypassesRls",
      d.datname::text AS "databaseName", pg_catalog.pg_has_role(d.datdba, 'USAGE') AS "ownsDatabase"
    FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
    WHERE r.rolname = current_user AND d.datname = pg_catalog.current_database()`,
  );
  if (!account) throw new Error('the server does not list its own role and database');
  const roles = await readTargetRoles(target, versionNum);
  return { ...account, versionNum, roles: new Map(roles.map(({ name, ...role }) => [name, role])) };
}

/**
 * Memberships are followed here, as pg_has_role() says of a superuser that it is a member of all. Before PostgreSQL 16
 * CREATEROLE grants every role but superusers, since then only those with ADMIN OPTION.
 */
function readTargetRoles(target: ClientBase, versionNum: number): Promise<RoleRow[]> {
  const isGrantable = since(versionNum, {
    from: GRANT_OPTIONS_SINCE,
    use: sql`a.rolsuper OR pg_catalog.pg_has_role(a.oid, r.oid, 'MEMBER WITH ADMIN OPTION')`,
    before: sql`a.rolsuper OR NOT r.rolsuper AND (a.rolcreaterole OR pg_catalog.pg_has_role(a.oid, r.oid, 'MEMBER WITH ADMIN OPTION'))`,
  });
  return readRows<RoleRow>(
    target,
    sql`
    WITH RECURSIVE account AS (SELECT r.* FROM pg_catalog.pg_roles r WHERE r.rolname = current_user),
    parents(oid) AS (
      SELECT m.roleid FROM pg_catalog.pg_auth_members m JOIN account a ON a.oid = m.member
      UNION SELECT m.roleid FROM pg_catalog.pg_auth_members m JOIN parents p ON p.oid = m.member),
    children(oid) AS (
      SELECT m.member FROM pg_catalog.pg_auth_members m JOIN account a ON a.oid = m.roleid
      UNION SELECT m.member FROM pg_catalog.pg_auth_members m JOIN children c ON c.oid = m.roleid)
    SELECT r.rolname::text AS name, r.rolsuper AS "isSuperuser", r.oid IN (SELECT oid FROM parents) AS "isParent",
      r.oid IN (SELECT oid FROM children) AS "isChild",
      -- The owner of the database is its only member, always.
      r.rolname <> 'pg_database_owner' AND (${isGrantable}) AS "isGrantable"
    FROM pg_catalog.pg_roles r, account a`,
  );
}
