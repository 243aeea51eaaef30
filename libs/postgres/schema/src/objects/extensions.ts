import { readRows, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier } from '@sluice/postgres-client';
import { objectKey, type SchemaObject, type Source } from '../schema-object.js';

/** Tested on PostgreSQL 10–18. plpgsql is in every database. A schema that is a member is made by the extension itself. */
export async function readExtensions({ client }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<{ oid: number; name: string; schema: string | null }>(
    client,
    sql`
    SELECT e.oid, e.extname AS name,
      CASE WHEN NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e'
      ) THEN n.nspname END AS schema
    FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname <> 'plpgsql'
    ORDER BY e.extname`,
  );
  return rows.map(({ oid, name, schema }) => ({
    key: objectKey('pg_extension', oid),
    kind: 'extension',
    address: `EXTENSION ${quoteIdentifier(name)}`,
    stage: 'pre',
    sql:
      `CREATE EXTENSION IF NOT EXISTS ${quoteIdentifier(name)}` +
      (schema === null ? '' : ` WITH SCHEMA ${quoteIdentifier(schema)}`),
  }));
}
