import { SluiceError } from '@sluice/contracts';
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
