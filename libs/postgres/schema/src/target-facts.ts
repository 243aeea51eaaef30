import { readRows, since, sql } from '@sluice/postgres-catalog';
import { sqlStateOf } from '@sluice/postgres-client';
import { type ClientBase } from 'pg';

/** What a plan has to know of the target. */
export interface TargetFacts {
  readonly versionNum: number;
  readonly databaseName: string;
  readonly currentUser: string;
  readonly isSuperuser: boolean;
  readonly creators: Creators;
  /** All roles; they can be granted to. */
  readonly roles: ReadonlySet<string>;
  /** Roles that the connecting one may give objects to. */
  readonly assumableRoles: ReadonlySet<string>;
  /** Roles that come without what they were granted; what they own is theirs. */
  readonly rolesWithoutPrivileges: ReadonlySet<string>;
  /** Extensions that are installed on its machine, with the comment they come with; `null` when it cannot be told. */
  readonly extensions: ReadonlyMap<string, string | null> | null;
}

/** Who may create where, as far as the connecting role cannot let others do it. */
export interface Creators {
  /** Roles that may create schemas; `null` when it can let everybody. */
  readonly ofSchemas: ReadonlySet<string> | null;
  /** Roles that may create objects in a schema. What is not named it owns, or will make itself. */
  readonly inSchema: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Tested on PostgreSQL 10–18. Must not run inside a transaction that is still needed: one of its queries may fail. */
export async function readTargetFacts(target: ClientBase): Promise<TargetFacts> {
  const [server] = await readRows<{
    versionNum: number;
    databaseName: string;
    currentUser: string;
    isSuperuser: boolean;
  }>(
    target,
    sql`
    SELECT pg_catalog.current_setting('server_version_num')::int AS "versionNum",
      pg_catalog.current_database() AS "databaseName", r.rolname AS "currentUser", r.rolsuper AS "isSuperuser"
    FROM pg_catalog.pg_roles r WHERE r.rolname = current_user`,
  );
  if (!server) throw new Error('the server does not list its own role');
  // From 16 on a member may still be refused to act as the role.
  const assume = since(server.versionNum, { from: 160_000, use: sql`'SET'`, before: sql`'MEMBER'` });
  const roles = await readRows<{ name: string; isAssumable: boolean }>(
    target,
    sql`SELECT r.rolname AS name, pg_catalog.pg_has_role(r.oid, ${assume}) AS "isAssumable" FROM pg_catalog.pg_roles r`,
  );
  return {
    ...server,
    roles: new Set(roles.map(({ name }) => name)),
    assumableRoles: new Set(roles.filter(({ isAssumable }) => isAssumable).map(({ name }) => name)),
    creators: await readCreators(target, server),
    rolesWithoutPrivileges: new Set(),
    extensions: await readAvailableExtensions(target),
  };
}

/** The same once a task has created these roles, which the connecting one then may act as. */
export function withRoles(
  facts: TargetFacts,
  names: readonly string[],
  { privileges }: { readonly privileges: boolean },
): TargetFacts {
  return {
    ...facts,
    roles: new Set([...facts.roles, ...names]),
    assumableRoles: new Set([...facts.assumableRoles, ...names]),
    rolesWithoutPrivileges: new Set(privileges ? [] : names),
  };
}

/** One control file that the server cannot read makes the whole list fail; then CREATE EXTENSION itself will tell. */
async function readAvailableExtensions(target: ClientBase): Promise<ReadonlyMap<string, string | null> | null> {
  try {
    const rows = await readRows<{ name: string; comment: string | null }>(
      target,
      sql`SELECT e.name, e.comment FROM pg_catalog.pg_available_extensions e`,
    );
    return new Map(rows.map(({ name, comment }) => [name, comment]));
  } catch (error) {
    if (sqlStateOf(error) === null) throw error;
    return null;
  }
}

async function readCreators(target: ClientBase, { isSuperuser }: { readonly isSuperuser: boolean }): Promise<Creators> {
  if (isSuperuser) return { ofSchemas: null, inSchema: new Map() };
  const schemas = await readRows<{ schema: string; creators: string[] }>(
    target,
    sql`
    SELECT n.nspname::text AS schema, ARRAY(
      SELECT r.rolname::text FROM pg_catalog.pg_roles r WHERE pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE')) AS creators
    FROM pg_catalog.pg_namespace n
    WHERE n.nspname !~ '^pg_' AND NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE WITH GRANT OPTION')`,
  );
  const [database] = await readRows<{ creators: string[] | null }>(
    target,
    sql`
    SELECT CASE WHEN NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE WITH GRANT OPTION') THEN ARRAY(
      SELECT r.rolname::text FROM pg_catalog.pg_roles r
      WHERE pg_catalog.has_database_privilege(r.oid, pg_catalog.current_database(), 'CREATE')) END AS creators`,
  );
  return {
    ofSchemas: database?.creators ? new Set(database.creators) : null,
    inSchema: new Map(schemas.map(({ schema, creators }) => [schema, new Set(creators)])),
  };
}
