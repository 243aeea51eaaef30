import { delay } from '@sluice/kernel';
import { type ComparisonSnapshot, exportComparisonSnapshot } from '@sluice/postgres-compare';
import { type Client, connect, type Endpoint, quoteLiteral, quoteQualified } from '@sluice/postgres-client';

/** Each attempt is lost only to a TRUNCATE that commits within some ten milliseconds. */
const ATTEMPTS_MAX = 10;
const RETRY_AFTER_MS = 250;

/**
 * A snapshot of the source that stays readable. TRUNCATE is not MVCC-safe: a table that is truncated after the snapshot
 * looks empty in it. So every table is locked in ACCESS SHARE mode right after the snapshot was taken, which makes
 * TRUNCATE wait and lets all reads and writes pass, and a table that was truncated in between is noticed.
 * https://www.postgresql.org/docs/current/mvcc-caveats.html
 */
export async function holdSource(source: Endpoint, signal: AbortSignal): Promise<ComparisonSnapshot> {
  for (let attempt = 1; ; attempt += 1) {
    const snapshot = await exportComparisonSnapshot(source);
    const session = await connect(source, { applicationName: 'verification hold' });
    const release = async (): Promise<void> => {
      await session.end();
      await snapshot[Symbol.asyncDispose]();
    };
    try {
      const isWhole = await lockTables(session, snapshot.snapshotName);
      if (isWhole || attempt === ATTEMPTS_MAX) return { ...snapshot, [Symbol.asyncDispose]: release };
    } catch (error) {
      await release();
      throw error;
    }
    await release();
    await delay(RETRY_AFTER_MS, signal);
  }
}

/** @returns false when a table was truncated or rewritten after the snapshot. Tested on PostgreSQL 17. */
async function lockTables(session: Client, snapshotName: string): Promise<boolean> {
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await session.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshotName)}`);
  const { rows } = await session.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
       AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'sluice')
       AND has_table_privilege(c.oid, 'SELECT')`,
  );
  if (rows.length === 0) return true;
  const tables = rows.map(({ schema, name }) => quoteQualified(schema, name));
  await session.query(`LOCK TABLE ONLY ${tables.join(', ONLY ')} IN ACCESS SHARE MODE`);
  // The column shows the file as of the snapshot, the function the file of this moment.
  const rewritten = await session.query(
    `SELECT 1 FROM pg_catalog.pg_class
     WHERE relkind = 'r' AND relpersistence = 'p' AND relfilenode <> 0
       AND relfilenode <> pg_catalog.pg_relation_filenode(oid) LIMIT 1`,
  );
  return rewritten.rowCount === 0;
}
