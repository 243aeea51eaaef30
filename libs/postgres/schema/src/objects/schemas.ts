import { inUserSchema, notExtensionMember, readRows, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier } from '@sluice/postgres-client';
import { objectKey, type SchemaObject, type Source } from '../schema-object.js';

/** Roles that own `public` out of the box: the bootstrap superuser, and pg_database_owner from 15. */
const DEFAULT_PUBLIC_OWNER = sql`n.nspname = 'public' AND (n.nspowner = 10 OR r.rolname = 'pg_database_owner')`;

/** Tested on PostgreSQL 10–18. */
export async function readSchemas({ client }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<{ oid: number; name: string; owner: string | null }>(
    client,
    sql`
    SELECT n.oid, n.nspname AS name, CASE WHEN ${DEFAULT_PUBLIC_OWNER} THEN NULL ELSE r.rolname END AS owner
    FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
    WHERE ${inUserSchema} AND ${notExtensionMember(sql`pg_namespace`, sql`n.oid`)}
    ORDER BY n.nspname`,
  );
  return rows.map(({ oid, name, owner }) => ({
    key: objectKey('pg_namespace', oid),
    kind: 'schema',
    address: `SCHEMA ${quoteIdentifier(name)}`,
    stage: 'pre',
    // An empty schema of that name is no obstacle; what is in it would collide by itself.
    sql: `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(name)}`,
    ...(owner !== null && { owner }),
  }));
}
