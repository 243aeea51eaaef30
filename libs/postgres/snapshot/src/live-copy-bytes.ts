import { type Client } from '@sluice/postgres-client';

const PROGRESS_VIEW_SINCE = 140_000;

export interface LiveCopy {
  /** Bytes of chunks that are not committed yet. */
  readonly bytes: number;
  readonly tables: readonly { readonly schema: string; readonly name: string }[];
}

/** What the copy sessions of a task are doing this moment, as the target's own progress view tells (from 14). */
export async function readLiveCopy(
  target: Client,
  { applicationName, versionNum }: { readonly applicationName: string; readonly versionNum: number },
): Promise<LiveCopy> {
  if (versionNum < PROGRESS_VIEW_SINCE) return { bytes: 0, tables: [] };
  const { rows } = await target.query<{ schema: string; name: string; bytes: number }>(
    `SELECT n.nspname AS schema, c.relname AS name, sum(p.bytes_processed)::float8 AS bytes
     FROM pg_catalog.pg_stat_progress_copy p
     JOIN pg_catalog.pg_stat_activity a USING (pid)
     JOIN pg_catalog.pg_class c ON c.oid = p.relid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE p.datname = current_database() AND a.application_name = $1 AND p.command = 'COPY FROM'
     GROUP BY 1, 2 ORDER BY 3 DESC`,
    [applicationName],
  );
  return {
    bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0),
    tables: rows.map(({ schema, name }) => ({ schema, name })),
  };
}
