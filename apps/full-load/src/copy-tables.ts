import { SluiceError } from '@sluice/contracts';
import { delay, present } from '@sluice/kernel';
import { type QualifiedName, readSelectedTables, readTables, readVersionNum } from '@sluice/postgres-catalog';
import { quoteQualified } from '@sluice/postgres-client';
import {
  areLargeObjects,
  beginUnderSnapshot,
  type ExportedSnapshot,
  isAnyChunkLocked,
  isSnapshotAlive,
  LARGE_OBJECTS,
  planChunks,
  readCopyProgress,
  readLiveCopy,
  readLoad,
  readOpenChunks,
  readTableLoads,
  settleTables,
  startTables,
  tableKey,
} from '@sluice/postgres-snapshot';
import { copySessionName } from './copy-worker.js';
import { readLargeObjectChunks } from './large-objects.js';
import { checkOrders, type Load } from './load-context.js';
import { RecordedFailure, throwRecorded } from './load-errors.js';
import { CopyRate } from './load-progress.js';
import { taskOfItem, WorkItems } from './work-items.js';

/** More names would not help a person. */
const TABLES_SHOWN_MAX = 20;

/** Copies all tables under the present snapshot that no earlier one finished. @throws SluiceError 3003 when it is lost. */
export async function copyTables(load: Load): Promise<void> {
  const { target, taskId, run } = load;
  const record = present(await readLoad(target, taskId), 'the load in the ledger');
  const snapshot = present(record.snapshot, 'the snapshot in the ledger');
  await settleTables(target, taskId);
  await startUnfinished(load, snapshot, { generation: record.generation, startLsn: record.consistentLsn });
  const items = new WorkItems(load, (chunkId) => ({
    version: 1,
    runId: chunkId,
    epoch: run.epoch,
    task: taskOfItem(run.task),
    stage: 'copy',
    chunkId,
  }));
  await items.giveOut(await readOpenChunks(target, taskId));
  await untilCopied(load, snapshot, items);
}

async function startUnfinished(
  load: Load,
  snapshot: ExportedSnapshot,
  start: { generation: number; startLsn: Parameters<typeof startTables>[1]['startLsn'] },
): Promise<void> {
  const { source, target, taskId, chunkBytes, judge, log } = load;
  await beginUnderSnapshot(source, snapshot);
  const tables = (await readSelectedTables(source, judge)).filter(({ kind }) => kind === 'table');
  const sourceVersionNum = await readVersionNum(source);
  const loads = await readTableLoads(target, taskId);
  const largeObjects = await readLargeObjectChunks(load, { wereStarted: loads.some(areLargeObjects) });
  await source.query('COMMIT');
  const onTarget = new Map((await readTables(target)).map((table) => [tableKey(table), table]));
  const missing = tables.filter((table) => !onTarget.has(tableKey(table)));
  for (const { schema, name } of missing)
    log.warn({ table: `${schema}.${name}` }, 'table is not on the target: not copied');
  const started = Map.groupBy(loads, (table) =>
    // Without changes that follow, only tables of one snapshot are of one moment.
    table.done && (load.isFollowed || table.generation === start.generation) ? 'done' : 'open',
  );
  refuseVanished(started.get('open')?.filter((table) => !areLargeObjects(table)) ?? [], tables);
  const done = new Set(started.get('done')?.map(tableKey));
  const starts = tables.flatMap((table) => {
    const counterpart = onTarget.get(tableKey(table));
    if (!counterpart || done.has(tableKey(table))) return [];
    const chunks = planChunks(table, { sourceVersionNum, chunkBytes, onTarget: counterpart });
    return [{ schema: table.schema, name: table.name, chunks }];
  });
  if (largeObjects.length > 0 && !done.has(tableKey(LARGE_OBJECTS)))
    starts.push({ ...LARGE_OBJECTS, chunks: largeObjects });
  await startTables(target, { taskId, ...start }, starts);
}

/**
 * A table that was started under an earlier snapshot and is not in this one can never be done, and stands on the target
 * without rows.
 */
function refuseVanished(open: readonly QualifiedName[], tables: readonly QualifiedName[]): void {
  const present = new Set(tables.map(tableKey));
  const vanished = open.filter((table) => !present.has(tableKey(table)));
  if (vanished.length === 0) return;
  const names = vanished.slice(0, TABLES_SHOWN_MAX).map(({ schema, name }) => quoteQualified(schema, name));
  const more = vanished.length > TABLES_SHOWN_MAX ? ` and ${vanished.length - TABLES_SHOWN_MAX} more` : '';
  throw new RecordedFailure(
    new SluiceError('SLUICE-3004', {
      detail: `dropped or renamed on the source before the copy was complete: ${names.join(', ')}${more}`,
      remedy: 'End the task, empty the target and start again.',
    }),
  );
}

const LOOK_INTERVAL_MS = 500;
/** Thousands of small tables end faster than it makes sense to look. */
const REST_MS = 20;
const SLOW_LOOK_INTERVAL_MS = 1_000;

async function untilCopied(load: Load, snapshot: ExportedSnapshot, items: WorkItems): Promise<void> {
  const { source, target, taskId, run } = load;
  const rate = new CopyRate();
  const versionNum = await readVersionNum(target);
  let slowLookAtMs = 0;
  for (;;) {
    checkOrders(load);
    const open = await settleTables(target, taskId);
    const copied = await readCopyProgress(target, taskId, run.epoch);
    if (copied.error) throwRecorded(copied.error);
    if (open === 0) return;
    if (Date.now() - slowLookAtMs > SLOW_LOOK_INTERVAL_MS) {
      slowLookAtMs = Date.now();
      const live = await readLiveCopy(target, { applicationName: `sluice ${copySessionName(taskId)}`, versionNum });
      load.report(rate.progress(copied, live, Date.now()));
      if (!(await isSnapshotAlive(source, snapshot))) {
        throw new SluiceError('SLUICE-3003', { detail: `snapshot ${snapshot.snapshotName} is not there any more` });
      }
      await items.watchOver(copied.chunksDone, {
        isAnyAtWork: () => isAnyChunkLocked(target, taskId),
        open: () => readOpenChunks(target, taskId),
      });
    }
    await load.ledger.next(LOOK_INTERVAL_MS);
    await delay(REST_MS);
  }
}
