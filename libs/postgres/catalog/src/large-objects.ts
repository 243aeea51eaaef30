import { type ClientBase } from 'pg';
import { readRows, sql } from './sql.js';

/** A run of large objects: `fromOid` ≤ OID < that of the next run. */
export interface LargeObjectRun {
  readonly fromOid: number;
  readonly count: number;
}

export interface LargeObjectFacts {
  readonly count: number;
  /** On the disk of the server, which compresses; also of pages that nobody needs any more. */
  readonly bytes: number;
}

/** Tested on PostgreSQL 10–18. The contents are for superusers only, their size is not. */
export async function readLargeObjectFacts(client: ClientBase): Promise<LargeObjectFacts> {
  const [facts] = await readRows<LargeObjectFacts>(
    client,
    sql`
    SELECT count(*)::int AS count, pg_catalog.pg_relation_size('pg_catalog.pg_largeobject')::float8 AS bytes
    FROM pg_catalog.pg_largeobject_metadata`,
  );
  return facts ?? { count: 0, bytes: 0 };
}

/** All large objects in runs of at most `countMax`, in the order of their OIDs. */
export function readLargeObjectRuns(client: ClientBase, countMax: number): Promise<LargeObjectRun[]> {
  return readRows<LargeObjectRun>(
    client,
    sql`
    SELECT min(oid)::int8::float8 AS "fromOid", count(*)::int AS count
    FROM (SELECT oid, (row_number() OVER (ORDER BY oid) - 1) / $1::int AS run FROM pg_catalog.pg_largeobject_metadata) AS o
    GROUP BY run ORDER BY run`,
    [countMax],
  );
}

export interface UnreadableLargeObject {
  readonly oid: string;
  readonly owner: string;
}

/** Large objects that the account may not read. */
export async function readUnreadableLargeObjects(client: ClientBase): Promise<UnreadableLargeObject[]> {
  return readRows<UnreadableLargeObject>(
    client,
    sql`
    SELECT m.oid::text AS oid, pg_catalog.pg_get_userbyid(m.lomowner)::text AS owner
    FROM pg_catalog.pg_largeobject_metadata m
    WHERE pg_catalog.current_setting('lo_compat_privileges') = 'off'
      AND NOT (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)
      AND NOT EXISTS (
        SELECT FROM pg_catalog.aclexplode(coalesce(m.lomacl, pg_catalog.acldefault('L', m.lomowner))) a
        WHERE a.privilege_type = 'SELECT' AND (a.grantee = 0 OR pg_catalog.pg_has_role(nullif(a.grantee, 0), 'USAGE')))
    ORDER BY m.oid`,
  );
}

/** OIDs of large objects that both sides have. */
export async function readTakenLargeObjects(source: ClientBase, target: ClientBase): Promise<string[]> {
  const onTarget = await readRows<{ oid: string }>(
    target,
    sql`SELECT oid::text AS oid FROM pg_catalog.pg_largeobject_metadata`,
  );
  if (onTarget.length === 0) return [];
  const taken = await readRows<{ oid: string }>(
    source,
    sql`SELECT oid::text AS oid FROM pg_catalog.pg_largeobject_metadata WHERE oid = ANY ($1::oid[]) ORDER BY pg_largeobject_metadata.oid`,
    [onTarget.map(({ oid }) => oid)],
  );
  return taken.map(({ oid }) => oid);
}

/** Roles that own large objects or may do something with them. */
export async function readRolesOfLargeObjects(client: ClientBase): Promise<string[]> {
  const rows = await readRows<{ name: string }>(
    client,
    sql`
    SELECT r.rolname::text AS name FROM pg_catalog.pg_roles r
    WHERE r.oid IN (SELECT lomowner FROM pg_catalog.pg_largeobject_metadata
                    UNION SELECT a.grantee FROM pg_catalog.pg_largeobject_metadata m, pg_catalog.aclexplode(m.lomacl) a)
    ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}
