import { type QueryConfig, type QueryResultRow } from 'pg';
import { SluiceError } from '@sluice/contracts';
import { formatLsn, type Lsn } from '@sluice/model';
import { type QualifiedName } from '@sluice/postgres-catalog';
import { type Client, hasSqlState, inTransaction, quoteQualified, SQLSTATE } from '@sluice/postgres-client';
import { type ChunkPlan, tableKey } from '../plan-chunks.js';
import { type ExportedSnapshot } from '../exported-snapshot.js';
import { areLargeObjects, LARGE_OBJECTS, OBJECTS_PER_TRANSACTION } from '../large-objects/plan-large-objects.js';
import { removeLargeObjects } from './large-object-ledger.js';
import { ledgerChannel, type LedgerError, notifyLedger } from './ledger-events.js';

export interface Chunk extends QualifiedName {
  readonly chunkId: string;
  readonly taskId: string;
  readonly fromBlock: string | null;
  readonly toBlock: string | null;
  readonly columns: readonly string[];
  readonly isBinary: boolean;
  /** No other chunk writes to the table. */
  readonly ownsTable: boolean;
  readonly generation: number;
}

/** How far the tables are, in one row. */
export interface CopyProgress {
  readonly tablesTotal: number;
  readonly tablesDone: number;
  readonly chunksTotal: number;
  readonly chunksDone: number;
  readonly rows: number;
  readonly bytes: number;
  readonly estimatedBytesTotal: number;
  readonly estimatedBytesDone: number;
  readonly error: LedgerError | null;
}

/** Marks the tables whose chunks are all done. @returns how many tables of the load are not done. */
export async function settleTables(target: Client, taskId: string): Promise<number> {
  await target.query(
    `UPDATE sluice.table_load t SET done = true
     FROM (SELECT schema_name, table_name FROM sluice.chunk WHERE task_id = $1
           GROUP BY schema_name, table_name HAVING count(*) = count(done_at)) AS copied
     WHERE t.task_id = $1 AND NOT t.done AND t.schema_name = copied.schema_name AND t.table_name = copied.table_name`,
    [taskId],
  );
  const { rows } = await target.query<{ open: number }>(
    'SELECT count(*)::int AS open FROM sluice.table_load WHERE task_id = $1 AND NOT done',
    [taskId],
  );
  return rows[0]?.open ?? 0;
}

export async function readTableLoads(
  target: Client,
  taskId: string,
): Promise<(QualifiedName & { generation: number; done: boolean })[]> {
  const { rows } = await target.query<QualifiedName & { generation: number; done: boolean }>(
    `SELECT schema_name AS schema, table_name AS name, generation, done FROM sluice.table_load WHERE task_id = $1`,
    [taskId],
  );
  return rows;
}

export interface TableStart extends QualifiedName {
  readonly chunks: readonly ChunkPlan[];
}

/** Tables that start together: one transaction each would be slow with thousands, one for all locks too many. */
const TABLES_PER_TRANSACTION = 200;

/**
 * (Re-)starts tables under the present snapshot, those left out that have been started under it. Tables that are done
 * keep an older one if changes follow (`startLsn`); without them nothing would bring all to one moment. A coordinator that was
 * replaced without knowing yet can be in here as well; the lock on the load's row lets the second see what the first did.
 * @throws SluiceError 3003 when the load has gone on to another snapshot.
 */
export async function startTables(
  target: Client,
  load: { taskId: string; generation: number; startLsn: Lsn | null },
  tables: readonly TableStart[],
): Promise<void> {
  if (tables.some(areLargeObjects)) await emptyLargeObjects(target, load);
  for (let start = 0; start < tables.length; start += TABLES_PER_TRANSACTION) {
    await inTransaction(target, 'BEGIN', async () => {
      await lockGeneration(target, load);
      await startGroup(target, load, tables.slice(start, start + TABLES_PER_TRANSACTION));
    });
  }
}

/** Removes what an earlier generation copied, in transactions that hold few locks. */
async function emptyLargeObjects(
  target: Client,
  load: { taskId: string; generation: number; startLsn: Lsn | null },
): Promise<void> {
  for (let removed = OBJECTS_PER_TRANSACTION; removed === OBJECTS_PER_TRANSACTION;) {
    removed = await inTransaction(target, 'BEGIN', async () => {
      await lockGeneration(target, load);
      const before = (await readTableLoads(target, load.taskId)).find(areLargeObjects);
      // Once started, what is listed is of this generation.
      if (before === undefined || !startsOver(before, load)) return 0;
      return removeLargeObjects(target, load.taskId, OBJECTS_PER_TRANSACTION);
    });
  }
}

function startsOver(
  before: { readonly generation: number; readonly done: boolean },
  { generation, startLsn }: { readonly generation: number; readonly startLsn: Lsn | null },
): boolean {
  return before.generation < generation && (!before.done || startLsn === null);
}

async function lockGeneration(
  target: Client,
  { taskId, generation }: { taskId: string; generation: number },
): Promise<void> {
  const { rows } = await target.query('SELECT FROM sluice.load WHERE task_id = $1 AND generation = $2 FOR UPDATE', [
    taskId,
    generation,
  ]);
  if (rows.length === 0) throw new SluiceError('SLUICE-3003', { detail: `generation ${generation} is over` });
}

async function startGroup(
  target: Client,
  { taskId, generation, startLsn }: { taskId: string; generation: number; startLsn: Lsn | null },
  group: readonly TableStart[],
): Promise<void> {
  const earlier = new Map((await readTableLoads(target, taskId)).map((table) => [tableKey(table), table]));
  const tables = group.filter((table) => {
    const before = earlier.get(tableKey(table));
    return before === undefined || startsOver(before, { generation, startLsn });
  });
  const names = JSON.stringify(tables.map(nameOf));
  // Waits for a worker that is inside a chunk of an earlier generation, as it holds the row: nobody can add rows of an
  // older snapshot afterwards.
  await target.query(
    `DELETE FROM sluice.chunk c USING jsonb_to_recordset($2) AS t(schema text, name text)
     WHERE c.task_id = $1 AND c.schema_name = t.schema AND c.table_name = t.name`,
    [taskId, names],
  );
  const truncated = tables.filter((table) => earlier.has(tableKey(table)));
  // Those of a worker that ended its chunk just now.
  if (truncated.some(areLargeObjects)) await removeLargeObjects(target, taskId, ALL);
  const emptied = truncated.filter((table) => !areLargeObjects(table));
  if (emptied.length > 0) {
    const list = emptied.map(({ schema, name }) => `ONLY ${quoteQualified(schema, name)}`);
    await target.query(`TRUNCATE ${list.join(', ')}`);
  }
  await target.query(
    `INSERT INTO sluice.table_load (task_id, schema_name, table_name, generation, start_lsn)
     SELECT $1, t.schema, t.name, $3, CASE WHEN t.schema = $5 THEN NULL ELSE $4::pg_lsn END
     FROM jsonb_to_recordset($2) AS t(schema text, name text)
     ON CONFLICT (task_id, schema_name, table_name)
     DO UPDATE SET generation = excluded.generation, start_lsn = excluded.start_lsn, done = false`,
    // No change that follows is about large objects: nothing waits for their moment.
    [taskId, names, generation, startLsn === null ? null : formatLsn(startLsn), LARGE_OBJECTS.schema],
  );
  const chunks = tables.flatMap((table) => table.chunks.map((chunk) => ({ ...chunk, ...nameOf(table) })));
  await target.query(
    `INSERT INTO sluice.chunk (chunk_id, task_id, schema_name, table_name, position, from_block, to_block, columns,
                               is_binary, owns_table, generation, estimated_bytes)
     SELECT "chunkId", $1, schema, name, position, "fromBlock", "toBlock", columns, "isBinary", "ownsTable", $3,
            "estimatedBytes"
     FROM jsonb_to_recordset($2) AS c("chunkId" uuid, schema text, name text, position int, "fromBlock" bigint,
       "toBlock" bigint, columns text[], "isBinary" boolean, "ownsTable" boolean, "estimatedBytes" bigint)`,
    [taskId, JSON.stringify(chunks), generation],
  );
}

/** No limit. */
const ALL = 2_147_483_647;

function nameOf({ schema, name }: QualifiedName): QualifiedName {
  return { schema, name };
}

/**
 * The chunk, locked until the end of the transaction, and the snapshot to copy it under. `null` when there is nothing
 * to do any more: it is done, or another generation replaced it. Waits while another worker is inside it.
 */
export async function lockChunk(
  target: Client,
  chunkId: string,
): Promise<{ readonly chunk: Chunk; readonly snapshot: ExportedSnapshot } | null> {
  const { rows } = await orNoRows<Chunk & ExportedSnapshot>(target, {
    name: 'sluice_lock_chunk',
    text: `SELECT c.chunk_id AS "chunkId", c.task_id AS "taskId", c.schema_name AS schema, c.table_name AS name,
                  c.from_block::text AS "fromBlock", c.to_block::text AS "toBlock", c.columns,
                  c.is_binary AS "isBinary", c.owns_table AS "ownsTable", c.generation,
                  l.snapshot_name AS "snapshotName", l.visible_xids AS "visibleXids"
           FROM sluice.chunk c JOIN sluice.load l ON l.task_id = c.task_id
           WHERE c.chunk_id = $1 AND c.done_at IS NULL AND c.generation = l.generation AND l.snapshot_name IS NOT NULL
           FOR UPDATE OF c`,
    values: [chunkId],
  });
  const row = rows[0];
  if (!row) return null;
  const { snapshotName, visibleXids, ...chunk } = row;
  return { chunk, snapshot: { snapshotName, visibleXids } };
}

/** The clean-up of the last task takes the tables along; work items that are left then have nothing to do. */
export async function orNoRows<Row extends QueryResultRow>(
  target: Client,
  query: QueryConfig,
): Promise<{ readonly rows: readonly Row[] }> {
  try {
    return await target.query<Row>(query);
  } catch (error) {
    if (hasSqlState(error, SQLSTATE.undefinedTable)) return { rows: [] };
    throw error;
  }
}

/** Part of the transaction that holds the rows; who watches the ledger hears of it when that commits. */
export async function markChunkDone(
  target: Client,
  { chunkId, taskId }: Chunk,
  { rows, bytes }: { rows: number; bytes: number },
): Promise<void> {
  await target.query({
    name: 'sluice_chunk_done',
    text: `WITH done AS (
             UPDATE sluice.chunk SET rows = $2, bytes = $3, error = NULL, done_at = now() WHERE chunk_id = $1)
           SELECT pg_catalog.pg_notify($4, '')`,
    values: [chunkId, rows, bytes, ledgerChannel(taskId)],
  });
}

export async function recordChunkError(
  target: Client,
  { chunkId, taskId }: { readonly chunkId: string; readonly taskId: string },
  error: LedgerError,
): Promise<void> {
  await target.query('UPDATE sluice.chunk SET error = $2 WHERE chunk_id = $1 AND done_at IS NULL', [
    chunkId,
    JSON.stringify(error),
  ]);
  await notifyLedger(target, taskId);
}

/** Chunks that still have to be copied, the largest first. */
export async function readOpenChunks(target: Client, taskId: string): Promise<string[]> {
  const { rows } = await target.query<{ chunkId: string }>(
    `SELECT chunk_id AS "chunkId" FROM sluice.chunk WHERE task_id = $1 AND done_at IS NULL
     ORDER BY estimated_bytes DESC, position`,
    [taskId],
  );
  return rows.map(({ chunkId }) => chunkId);
}

/** True while some worker is inside a chunk of the task. */
export async function isAnyChunkLocked(target: Client, taskId: string): Promise<boolean> {
  const { rows } = await target.query<{ locked: boolean }>(
    `SELECT count(*) < (SELECT count(*) FROM sluice.chunk WHERE task_id = $1 AND done_at IS NULL) AS locked
     FROM (SELECT FROM sluice.chunk WHERE task_id = $1 AND done_at IS NULL FOR UPDATE SKIP LOCKED) AS free`,
    [taskId],
  );
  return rows[0]?.locked ?? false;
}

/** @param epoch errors of an older one are history. */
export async function readCopyProgress(target: Client, taskId: string, epoch: number): Promise<CopyProgress> {
  const { rows } = await target.query<CopyProgress>(
    `SELECT count(*)::int AS "chunksTotal", count(done_at)::int AS "chunksDone",
            coalesce(sum(rows), 0)::float8 AS rows, coalesce(sum(bytes), 0)::float8 AS bytes,
            coalesce(sum(estimated_bytes), 0)::float8 AS "estimatedBytesTotal",
            coalesce(sum(estimated_bytes) FILTER (WHERE done_at IS NOT NULL), 0)::float8 AS "estimatedBytesDone",
            (array_agg(error) FILTER (WHERE (error ->> 'epoch')::int = $2))[1] AS error,
            (SELECT count(*)::int FROM sluice.table_load WHERE task_id = $1 AND schema_name <> $3) AS "tablesTotal",
            (SELECT count(*)::int FROM sluice.table_load WHERE task_id = $1 AND schema_name <> $3 AND done) AS "tablesDone"
     FROM sluice.chunk WHERE task_id = $1`,
    [taskId, epoch, LARGE_OBJECTS.schema],
  );
  return rows[0] ?? NOTHING_COPIED;
}

const NOTHING_COPIED: CopyProgress = {
  tablesTotal: 0,
  tablesDone: 0,
  chunksTotal: 0,
  chunksDone: 0,
  rows: 0,
  bytes: 0,
  estimatedBytesTotal: 0,
  estimatedBytesDone: 0,
  error: null,
};

/**
 * Takes the work items of unfinished tables their object, so that they end without doing anything. All chunks of such
 * a table go, as those left would look like the whole of it.
 */
export async function withdrawChunks(target: Client, taskId: string): Promise<void> {
  await settleTables(target, taskId);
  await target.query(
    `DELETE FROM sluice.chunk c USING sluice.table_load t
     WHERE t.task_id = $1 AND NOT t.done
       AND c.task_id = t.task_id AND c.schema_name = t.schema_name AND c.table_name = t.table_name`,
    [taskId],
  );
}
