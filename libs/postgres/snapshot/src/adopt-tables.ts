import { SluiceError } from '@sluice/contracts';
import { type QualifiedName, readRows, sql } from '@sluice/postgres-catalog';
import {
  type Client,
  hasSqlState,
  inTransaction,
  isConnectionLoss,
  quoteIdentifier,
  quoteLiteral,
  quoteQualified,
  SQLSTATE,
} from '@sluice/postgres-client';
import { CAPTURE_SETTING } from '@sluice/postgres-ddl';
import { pipeCopy } from './copy-pipe.js';
import { beginUnderSnapshot, type ExportedSnapshot } from './exported-snapshot.js';

/** New writers of the tables wait behind us, so it is better to try again later. Of all tables together. */
const WRITERS_LOCK_TIMEOUT_MS = 5_000;
/** The stream of changes stands still meanwhile: not for long, whoever holds a lock on the source. Of all tables together. */
const COPY_LOCK_TIMEOUT_MS = 3_000;
/** As every DDL: readers of the target wait behind us. */
const TARGET_LOCK_TIMEOUT_MS = 15_000;

interface UnreadyTable extends QualifiedName {
  readonly isPublished: boolean;
  /** The source would refuse UPDATE and DELETE once it is published. */
  readonly lacksIdentity: boolean;
}

/**
 * Has the changes of tables published, and gives those without a key an identity. The lock waits for the transactions that
 * have written to them: changes are complete in what commits under a snapshot that is made afterwards.
 * Tables that are gone, or store no permanent rows themselves, are left out. PostgreSQL 10–18.
 */
export async function publishForAdoption(
  source: Client,
  publicationName: string,
  oids: readonly number[],
): Promise<void> {
  const tables = await readUnready(source, publicationName, oids);
  if (tables.length === 0) return;
  const relation = ({ schema, name }: QualifiedName): string => quoteQualified(schema, name);
  await inTransaction(source, 'BEGIN', async () => {
    const lock = withinTime(source, WRITERS_LOCK_TIMEOUT_MS);
    // It is ours, and no DDL that a person's policy is about.
    await source.query(`SET LOCAL ${CAPTURE_SETTING} = 'off'`);
    for (const table of tables) await lock(`LOCK TABLE ONLY ${relation(table)} IN SHARE ROW EXCLUSIVE MODE`);
    for (const table of tables.filter(({ lacksIdentity }) => lacksIdentity))
      await source.query(`ALTER TABLE ONLY ${relation(table)} REPLICA IDENTITY FULL`);
    const added = tables.filter(({ isPublished }) => !isPublished).map((table) => `ONLY ${relation(table)}`);
    if (added.length > 0)
      await source.query(`ALTER PUBLICATION ${quoteIdentifier(publicationName)} ADD TABLE ${added.join(', ')}`);
  });
}

/** Locks are waited for one after the other; together they may take no longer. */
function withinTime(session: Client, timeoutMs: number): (statement: string) => Promise<void> {
  const deadline = performance.now() + timeoutMs;
  return async (statement) => {
    // 0 would be no limit.
    const leftMs = Math.max(1, Math.ceil(deadline - performance.now()));
    await session.query(`SET LOCAL lock_timeout = ${leftMs}`);
    await session.query(statement);
  };
}

function readUnready(source: Client, publicationName: string, oids: readonly number[]): Promise<UnreadyTable[]> {
  return readRows<UnreadyTable>(
    source,
    sql`
      SELECT * FROM (
        SELECT n.nspname::text AS schema, c.relname::text AS name,
          EXISTS (SELECT FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
                  WHERE r.prrelid = c.oid AND p.pubname = $1) AS "isPublished",
          c.relreplident = 'n' OR c.relreplident = 'd' AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate) AS "lacksIdentity"
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = ANY ($2::oid[]) AND c.relkind = 'r' AND c.relpersistence = 'p') AS t
      WHERE NOT "isPublished" OR "lacksIdentity"`,
    [publicationName, oids],
  );
}

export interface AdoptionSessions {
  readonly source: Client;
  /** As a replica: triggers and foreign keys of a table in use must not fire for what is copied into it. */
  readonly target: Client;
}

export interface AdoptionOptions {
  readonly taskId: string;
  /** Of the writer that this copy belongs to (I3). */
  readonly epoch: bigint;
  readonly snapshot: ExportedSnapshot;
  /** Of the pending tables that were published before the snapshot. */
  readonly oids: readonly number[];
  readonly signal: AbortSignal;
  /** Executes what waited for the rows, if it waits for no others. */
  readonly finish: (target: Client) => Promise<void>;
  readonly passing: (moment: 'before-commit' | 'after-commit') => void;
}

export interface AdoptionResult {
  readonly tables: readonly QualifiedName[];
  readonly rows: number;
  readonly bytes: number;
}

interface AdoptedTable extends QualifiedName {
  /** Its replica identity, which may be ours. */
  readonly isFull: boolean;
  readonly columns: readonly string[];
}

/**
 * Copies pending tables as of the snapshot, in one transaction of the target that also takes them off the list, executes
 * what waited for their rows, and fails when a newer writer has claimed the task. Nobody else may write to the target
 * meanwhile, and it must have what committed below the snapshot, and of these tables nothing that committed above.
 *
 * After a failure neither session can be used again.
 * @throws SluiceError 3003 when a table looks different now, or the snapshot is lost: another one is needed. 1012 when it is
 * not known whether the copy was committed: only what the target says then counts.
 */
export async function copyAdopted(sessions: AdoptionSessions, options: AdoptionOptions): Promise<AdoptionResult> {
  const { source, target } = sessions;
  const tables = await lockAsOf(source, options);
  let rows = 0;
  let bytes = 0;
  await target.query(`BEGIN; SET LOCAL lock_timeout = ${TARGET_LOCK_TIMEOUT_MS}`);
  for (const table of tables) {
    const copied = await copyTable(sessions, table, options.signal);
    rows += copied.rows;
    bytes += copied.bytes;
  }
  await finishAdoption(target, options);
  options.passing('before-commit');
  await commitAdoption(target);
  // Order: nothing that can fail may follow. The source's session only reads, and ends with its owner.
  options.passing('after-commit');
  return { tables, rows, bytes };
}

async function commitAdoption(target: Client): Promise<void> {
  try {
    await target.query('COMMIT');
  } catch (error) {
    if (!isConnectionLoss(error)) throw error;
    throw new SluiceError('SLUICE-1012', { detail: 'it is not known whether tables have joined', cause: error });
  }
}

/** The tables as the snapshot sees them, locked, and looking to everybody as they do to it. */
async function lockAsOf(source: Client, { snapshot, oids }: AdoptionOptions): Promise<AdoptedTable[]> {
  await beginUnderSnapshot(source, snapshot);
  // Read from the catalogs, which show what the snapshot sees; names in statements are looked up as of now.
  const tables = await readRows<AdoptedTable & { oid: number; fileNode: number }>(
    source,
    sql`
      SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, c.relfilenode AS "fileNode",
        c.relreplident = 'f' AS "isFull",
        ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                AND coalesce(pg_catalog.to_jsonb(a) ->> 'attgenerated', '') = ''
              ORDER BY a.attnum) AS columns
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.oid = ANY ($1::oid[]) AND c.relkind = 'r' AND c.relpersistence = 'p'
      ORDER BY n.nspname, c.relname`,
    [oids],
  );
  const lock = withinTime(source, COPY_LOCK_TIMEOUT_MS);
  for (const { oid, schema, name, fileNode } of tables) {
    const relation = quoteQualified(schema, name);
    try {
      await lock(`LOCK TABLE ONLY ${relation} IN ACCESS SHARE MODE`);
    } catch (error) {
      if (!hasSqlState(error, SQLSTATE.undefinedTable, '3F000')) throw error;
      throw changedMeanwhile(relation, error);
    }
    const { rows } = await source.query<{ isSame: boolean }>(
      `SELECT pg_catalog.to_regclass(${quoteLiteral(relation)})::oid::int8 = $1::int8
              AND pg_catalog.pg_relation_filenode($1::int8::oid)::int8 = $2::int8 AS "isSame"`,
      [oid, fileNode],
    );
    if (rows[0]?.isSame !== true) throw changedMeanwhile(relation);
  }
  return tables;
}

async function copyTable(
  { source, target }: AdoptionSessions,
  { schema, name, isFull, columns }: AdoptedTable,
  signal: AbortSignal,
): Promise<{ rows: number; bytes: number }> {
  const relation = quoteQualified(schema, name);
  // Whatever is there was not put there by the stream. A table that others refer to cannot be truncated.
  await target.query(`DELETE FROM ONLY ${relation}`);
  if (isFull) await target.query(`ALTER TABLE ONLY ${relation} REPLICA IDENTITY FULL`);
  const list = columns.length === 0 ? '' : ` (${columns.map(quoteIdentifier).join(', ')})`;
  try {
    return await pipeCopy(source, target, {
      copyTo: `COPY ${relation}${list} TO STDOUT`,
      copyFrom: `COPY ${relation}${list} FROM STDIN`,
      signal,
    });
  } catch (error) {
    if (hasSqlState(error, SQLSTATE.undefinedColumn)) throw changedMeanwhile(relation, error);
    throw error;
  }
}

async function finishAdoption(target: Client, { taskId, epoch, oids, finish }: AdoptionOptions): Promise<void> {
  await target.query('DELETE FROM sluice.adoption WHERE task_id = $1 AND relation_oid = ANY ($2::oid[])', [
    taskId,
    oids,
  ]);
  await finish(target);
  const { rowCount } = await target.query('UPDATE sluice.checkpoint SET lsn = lsn WHERE task_id = $1 AND epoch = $2', [
    taskId,
    epoch.toString(),
  ]);
  if (rowCount !== 1) throw new SluiceError('SLUICE-5004', { detail: 'the checkpoint was claimed by a newer run' });
}

function changedMeanwhile(relation: string, cause?: unknown): SluiceError {
  return new SluiceError('SLUICE-3003', { detail: `${relation} was changed on the source after the snapshot`, cause });
}
