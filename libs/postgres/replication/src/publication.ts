import { SluiceError } from '@sluice/contracts';
import { inUserSchema, notExtensionMember, readRows, sql } from '@sluice/postgres-catalog';
import { type Client } from '@sluice/postgres-client';

export interface PublishedTable {
  readonly schema: string;
  readonly name: string;
}

/** The tables of a publication, by name; `null` when there is no such publication. PostgreSQL 10–18. */
export async function publicationTables(
  client: Client,
  publicationName: string,
): Promise<readonly PublishedTable[] | null> {
  const { rows } = await client.query<{ schema: string | null; name: string | null }>(
    `SELECT published.schemaname::text AS schema, published.tablename::text AS name
       FROM pg_catalog.pg_publication AS publication
       LEFT JOIN pg_catalog.pg_publication_tables AS published ON published.pubname = publication.pubname
      WHERE publication.pubname = $1
      ORDER BY published.schemaname, published.tablename`,
    [publicationName],
  );
  if (rows.length === 0) return null;
  return rows.flatMap(({ schema, name }) => (schema === null || name === null ? [] : [{ schema, name }]));
}

/** PostgreSQL 18 only warns when the publication of a stream is missing, and leaves its changes out: so look first. @throws SLUICE-4005 */
export async function requirePublication(client: Client, publicationName: string): Promise<void> {
  if ((await publicationTables(client, publicationName)) !== null) return;
  throw new SluiceError('SLUICE-4005', { detail: `publication ${publicationName} does not exist` });
}

export interface UnpublishedTable extends PublishedTable {
  readonly oid: number;
}

/**
 * The tables that a load copies and whose changes a publication of all tables would have, but this one has not. Reads
 * catalogs only, so that it is answered as of the transaction's snapshot. PostgreSQL 10–18.
 */
export function unpublishedTables(client: Client, publicationName: string): Promise<UnpublishedTable[]> {
  const query = sql`
    SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND ${inUserSchema}
      AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_publication p
        LEFT JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = c.oid
        WHERE p.pubname = $1 AND (p.puballtables OR r.prrelid IS NOT NULL))
    ORDER BY n.nspname, c.relname`;
  return readRows<UnpublishedTable>(client, query, [publicationName]);
}
