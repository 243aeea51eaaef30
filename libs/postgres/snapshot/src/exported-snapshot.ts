import { SluiceError } from '@sluice/contracts';
import { type Client, hasSqlState, quoteLiteral, quoteQualified, SQLSTATE } from '@sluice/postgres-client';

/** `invalid snapshot identifier` up to 16, `snapshot "…" does not exist` from 17. */
const SNAPSHOT_GONE = ['22023', SQLSTATE.undefinedObject, SQLSTATE.objectNotInPrerequisiteState];
const TABLE_GONE = [SQLSTATE.undefinedTable, '3F000'];

/** A snapshot that other sessions can look through. */
export interface ExportedSnapshot {
  readonly snapshotName: string;
  /**
   * What it sees, as `txid_current_snapshot()` writes it. A name alone proves nothing: a restarted server gives the
   * same names again, and they would let this load read through the snapshot of another one.
   */
  readonly visibleXids: string;
}

/** Opens a transaction that sees what the exported snapshot sees. @throws SluiceError 3003 when it is lost. */
export async function beginUnderSnapshot(source: Client, snapshot: ExportedSnapshot): Promise<void> {
  await begin(source, snapshot, {
    thenSelect: `SELECT ${isSame(snapshot)} AS ok`,
    otherwise: `${snapshot.snapshotName} is the snapshot of somebody else now`,
  });
}

/** What a snapshot sees; the session must have no transaction. */
export async function readVisibleXids(source: Client, snapshotName: string): Promise<string> {
  const results: unknown = await source.query(
    `${beginStatements(snapshotName)}; SELECT pg_catalog.txid_current_snapshot()::text AS value; ROLLBACK`,
  );
  const value = valueOf(Array.isArray(results) ? results.at(-2) : null, 'value');
  return typeof value === 'string' ? value : '';
}

export async function isSnapshotAlive(source: Client, snapshot: ExportedSnapshot): Promise<boolean> {
  try {
    await beginUnderSnapshot(source, snapshot);
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
  snapshot: ExportedSnapshot,
  table: { readonly schema: string; readonly name: string },
): Promise<void> {
  const relation = quoteQualified(table.schema, table.name);
  await begin(source, snapshot, {
    thenSelect: `LOCK TABLE ONLY ${relation} IN ACCESS SHARE MODE;
      SELECT ${isSame(snapshot)} AND c.relfilenode = pg_catalog.pg_relation_filenode(c.oid) AS ok
      FROM pg_catalog.pg_class c WHERE c.oid = ${quoteLiteral(relation)}::regclass`,
    otherwise: `${relation} was rewritten on the source after the snapshot`,
  });
}

async function begin(
  source: Client,
  { snapshotName }: ExportedSnapshot,
  { thenSelect, otherwise }: { thenSelect: string; otherwise: string },
): Promise<void> {
  try {
    const results: unknown = await source.query(`${beginStatements(snapshotName)}; ${thenSelect}`);
    if (valueOf(Array.isArray(results) ? results.at(-1) : null, 'ok') === true) return;
  } catch (error) {
    await source.query('ROLLBACK').catch(() => undefined);
    throw asSnapshotLost(error, snapshotName);
  }
  await source.query('ROLLBACK');
  throw new SluiceError('SLUICE-3003', { detail: otherwise });
}

function beginStatements(snapshotName: string): string {
  return `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshotName)}`;
}

function isSame({ visibleXids }: ExportedSnapshot): string {
  return `pg_catalog.txid_current_snapshot()::text = ${quoteLiteral(visibleXids)}`;
}

function asSnapshotLost(error: unknown, snapshotName: string): unknown {
  if (hasSqlState(error, ...TABLE_GONE)) {
    return new SluiceError('SLUICE-3003', { detail: 'a table was dropped on the source meanwhile', cause: error });
  }
  if (!hasSqlState(error, ...SNAPSHOT_GONE)) return error;
  return new SluiceError('SLUICE-3003', { detail: `snapshot ${snapshotName} is not there any more`, cause: error });
}

/** A column of the first row of a result. Several statements in one query give an array of results. */
function valueOf(result: unknown, column: string): unknown {
  if (typeof result !== 'object' || result === null || !('rows' in result) || !Array.isArray(result.rows)) return null;
  const row: unknown = result.rows[0];
  return typeof row === 'object' && row !== null ? Reflect.get(row, column) : null;
}
