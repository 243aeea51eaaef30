import { type SchemaAndName } from '@sluice/model';
import { type Client } from '@sluice/postgres-client';

/** Tables of the target above a partition, the nearest first. Tested on PostgreSQL 10–18. */
export async function partitionAncestors(target: Client, { schema, name }: SchemaAndName): Promise<SchemaAndName[]> {
  const { rows } = await target.query<SchemaAndName>(
    `WITH RECURSIVE above AS (
       SELECT i.inhparent, 1 AS distance
       FROM pg_catalog.pg_class c
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
       WHERE n.nspname = $1 AND c.relname = $2 AND c.relispartition AND c.relkind IN ('r', 'p', 'f')
       UNION ALL
       SELECT i.inhparent, a.distance + 1
       FROM above a
       JOIN pg_catalog.pg_class p ON p.oid = a.inhparent AND p.relispartition
       JOIN pg_catalog.pg_inherits i ON i.inhrelid = p.oid)
     SELECT n.nspname::text AS schema, p.relname::text AS name
     FROM above a
     JOIN pg_catalog.pg_class p ON p.oid = a.inhparent
     JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
     ORDER BY a.distance`,
    [schema, name],
  );
  return rows;
}

export async function relationExists(target: Client, { schema, name }: SchemaAndName): Promise<boolean> {
  const { rows } = await target.query(
    `SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, name],
  );
  return rows.length > 0;
}

/** What an index of the target is on; null when there is no such index. */
export async function indexTable(target: Client, { schema, name }: SchemaAndName): Promise<SchemaAndName | null> {
  const { rows } = await target.query<SchemaAndName>(
    `SELECT n.nspname::text AS schema, t.relname::text AS name
     FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
     JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
     WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, name],
  );
  return rows[0] ?? null;
}
