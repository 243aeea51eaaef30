import { SluiceError } from '@sluice/contracts';
import { type Client, hasSqlState, quoteIdentifier, quoteLiteral, SQLSTATE } from '@sluice/postgres-client';

/** `invalid snapshot identifier` up to 16, `snapshot "…" does not exist` from 17. */
const SNAPSHOT_GONE = ['22023', SQLSTATE.undefinedObject, SQLSTATE.objectNotInPrerequisiteState];
const TABLE_GONE = [SQLSTATE.undefinedTable, '3F000'];

/** Opens a transaction that sees what the exported snapshot sees. @throws SluiceError 3003 when it is lost. */
export async function beginUnderSnapshot(source: Client, snapshotName: string): Promise<void> {
  try {
    await source.query(beginStatements(snapshotName));
  } catch (error) {
    await source.query('ROLLBACK').catch(() => undefined);
    throw asSnapshotLost(error, snapshotName);
  }
}

export async function isSnapshotAlive(source: Client, snapshotName: string): Promise<boolean> {
  try {
    await beginUnderSnapshot(source, snapshotName);
    await source.query('ROLLBACK');
    return true;
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'SLUICE-3003') return false;
    throw error;
  }
}

/**
 * The same, and makes sure that the snapshot still sees the table's rows where they were. A rewrite (VACUUM FULL,
 * TRUNCATE, some ALTER TABLE) moves rows between ctid ranges or hides them from older snapshots: the snapshot's view
 * of the file number and the present one differ then. The lock keeps that from happening until the transaction ends.
 * One round trip. @throws SluiceError 3003 when the snapshot cannot serve this table any more.
 */
export async function beginTableUnderSnapshot(
  source: Client,
  snapshotName: string,
  table: { readonly schema: string; readonly name: string },
): Promise<void> {
  const relation = `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
  try {
    const results: unknown = await source.query(`${beginStatements(snapshotName)};
      LOCK TABLE ONLY ${relation} IN ACCESS SHARE MODE;
      SELECT c.relfilenode = pg_catalog.pg_relation_filenode(c.oid) AS same FROM pg_catalog.pg_class c
      WHERE c.oid = ${quoteLiteral(relation)}::regclass`);
    if (isUnmoved(results)) return;
  } catch (error) {
    await source.query('ROLLBACK').catch(() => undefined);
    throw hasSqlState(error, ...TABLE_GONE)
      ? new SluiceError('SLUICE-3003', { detail: `${relation} was dropped on the source meanwhile`, cause: error })
      : asSnapshotLost(error, snapshotName);
  }
  await source.query('ROLLBACK');
  throw new SluiceError('SLUICE-3003', { detail: `${relation} was rewritten on the source after the snapshot` });
}

function beginStatements(snapshotName: string): string {
  return `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshotName)}`;
}

function asSnapshotLost(error: unknown, snapshotName: string): unknown {
  if (!hasSqlState(error, ...SNAPSHOT_GONE)) return error;
  return new SluiceError('SLUICE-3003', { detail: `snapshot ${snapshotName} is not there any more`, cause: error });
}

/** Several statements in one query give an array of results. */
function isUnmoved(results: unknown): boolean {
  if (!Array.isArray(results)) return false;
  const last: unknown = results.at(-1);
  if (typeof last !== 'object' || last === null || !('rows' in last) || !Array.isArray(last.rows)) return false;
  const row: unknown = last.rows[0];
  return typeof row === 'object' && row !== null && 'same' in row && row.same === true;
}
