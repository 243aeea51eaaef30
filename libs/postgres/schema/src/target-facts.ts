import { readRows, since, sql } from '@sluice/postgres-catalog';
import { sqlStateOf } from '@sluice/postgres-client';
import { type ClientBase } from 'pg';

/** What a plan has to know of the target. */
export interface TargetFacts {
  readonly versionNum: number;
  readonly currentUser: string;
  readonly isSuperuser: boolean;
  /** All roles; they can be granted to. */
  readonly roles: ReadonlySet<string>;
  /** Roles that the connecting one may give objects to. */
  readonly assumableRoles: ReadonlySet<string>;
  /** Extensions that are installed on its machine, with the comment they come with; `null` when it cannot be told. */
  readonly extensions: ReadonlyMap<string, string | null> | null;
}

/** Tested on PostgreSQL 10–18. Must not run inside a transaction that is still needed: one of its queries may fail. */
export async function readTargetFacts(target: ClientBase): Promise<TargetFacts> {
  const [server] = await readRows<{ versionNum: number; currentUser: string; isSuperuser: boolean }>(
    target,
    sql`
    SELECT pg_catalog.current_setting('server_version_num')::int AS "versionNum", r.rolname AS "currentUser",
      r.rolsuper AS "isSuperuser"
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
    extensions: await readAvailableExtensions(target),
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
