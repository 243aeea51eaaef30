import { SluiceError } from '@sluice/contracts';
import { type ObjectJudge } from '@sluice/model';
import {
  inUserSchema,
  notExtensionMember,
  type QualifiedName,
  readRows,
  selectTables,
  sql,
} from '@sluice/postgres-catalog';
import { type Client } from '@sluice/postgres-client';

/**
 * PostgreSQL 18 only warns when the publication of a stream is missing, and leaves its changes out; none says anything
 * about kinds of changes that are not published any more. So look. PostgreSQL 10–18.
 * @throws SluiceError 4005
 */
export async function requirePublication(client: Client, publicationName: string): Promise<void> {
  // to_jsonb gives null for a column that this version does not have (pubtruncate: since 11).
  const rows = await readRows<{ isWhole: boolean }>(
    client,
    sql`SELECT pubinsert AND pubupdate AND pubdelete
             AND coalesce((pg_catalog.to_jsonb(p) ->> 'pubtruncate')::boolean, true) AS "isWhole"
        FROM pg_catalog.pg_publication p WHERE pubname = $1`,
    [publicationName],
  );
  if (rows[0]?.isWhole === true) return;
  const what = rows[0] ? 'does not publish all kinds of changes any more' : 'does not exist';
  throw new SluiceError('SLUICE-4005', { detail: `publication ${publicationName} ${what}` });
}

/** The tables that a publication lists, by OID. */
export async function publishedTableOids(client: Client, publicationName: string): Promise<number[]> {
  const rows = await readRows<{ oid: number }>(
    client,
    sql`SELECT r.prrelid AS oid FROM pg_catalog.pg_publication p
        JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid WHERE p.pubname = $1`,
    [publicationName],
  );
  return rows.map(({ oid }) => oid);
}

export interface UnpublishedTable extends QualifiedName {
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

/** Tables that a publication lists and the task has not, by the names that the transaction's snapshot shows. PostgreSQL 10–18. */
export async function publishedStrangers(
  client: Client,
  publicationName: string,
  judge: ObjectJudge,
): Promise<QualifiedName[]> {
  if (judge.isEverything) return [];
  const listed = await readRows<UnpublishedTable>(
    client,
    sql`SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name
        FROM pg_catalog.pg_publication p
        JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid
        JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE p.pubname = $1 AND ${inUserSchema}`,
    [publicationName],
  );
  const own = new Set((await selectTables(client, listed, { judge })).map(({ oid }) => oid));
  return listed.filter(({ oid }) => !own.has(oid));
}
