import { type StageResult } from '@sluice/contracts';
import { present } from '@sluice/kernel';
import { formatLsn, judgeObjects } from '@sluice/model';
import {
  connectSource,
  connectTarget,
  forgetSnapshot,
  isOneMoment,
  type LoadRecord,
  markCopied,
  markLoaded,
  openLedger,
  readCopyProgress,
  readLoad,
  watchLedger,
} from '@sluice/postgres-snapshot';
import { type WorkOutcome } from '@sluice/service-runtime';
import { buildStructure, reportTotals } from './build-structure.js';
import { copySequences } from './copy-sequences.js';
import { copyTables } from './copy-tables.js';
import { checkOrders, type Load, type LoadContext } from './load-context.js';
import { letGo } from './let-go.js';
import { isSnapshotLost, RecordedFailure, StopOrdered } from './load-errors.js';
import { phaseProgress } from './load-progress.js';
import { obtainSnapshot } from './obtain-snapshot.js';
import { prepareSource, publishAsOf } from './publish-tables.js';
import { transferStructure } from './transfer-structure.js';

/** A source that loses snapshots faster than tables are copied needs a person. */
const SNAPSHOT_LOSSES_MAX = 20;

/**
 * Brings a load to its end, from wherever the ledger says it is: it can be killed at any moment and started again.
 * Every step looks first whether it is done.
 */
export async function coordinateLoad(context: LoadContext): Promise<WorkOutcome> {
  const { taskId } = context.run.task;
  const application = { applicationName: `full-load ${taskId}` };
  await using source = await connectSource(context.databases.source, application);
  await using target = await connectTarget(context.databases.target, application);
  await openLedger(target, taskId);
  const isFollowed = context.run.task.syncType !== 'full';
  const judge = judgeObjects(context.run.task.objects);
  const ledger = await watchLedger(target, taskId);
  const load: Load = { ...context, taskId, source, target, isFollowed, judge, ledger };
  context.onHealthy();
  try {
    return { kind: 'succeeded', result: await runLoad(load) };
  } catch (error) {
    if (error instanceof RecordedFailure) return { kind: 'failed', error: error.failure };
    if (!(error instanceof StopOrdered)) throw error;
    await letGo(target, taskId);
    return { kind: 'stopped' };
  }
}

async function runLoad(load: Load): Promise<StageResult> {
  const record = await readRecord(load);
  if (!record.isLoaded) {
    if (!record.isCopied) await copyEverything(load, record);
    // Tables of several moments become one by the changes between them; what looks across tables is built after those.
    await buildStructure(load, (await isOneMoment(load.target, load.taskId)) ? 'all' : 'before-join');
    await reportTotals(load, 'finishing');
    await copySequences(load, { judge: load.judge, publicationName: load.run.task.publicationName });
    await markLoaded(load.target, load.taskId);
  }
  await reportTotals(load, 'done');
  return resultOf(load);
}

async function copyEverything(load: Load, record: LoadRecord): Promise<void> {
  if (record.generation === 0) {
    load.report(phaseProgress('structure'));
    await prepareSource(load, record);
  }
  for (let losses = 0; ;) {
    try {
      load.report(phaseProgress('snapshot'));
      await obtainPublishedSnapshot(load);
      load.report(phaseProgress('structure'));
      if (!(await readRecord(load)).isStructureDone) await transferStructure(load);
      load.passing('full-load-after-structure');
      await copyTables(load);
      await markCopied(load.target, load.taskId);
      return;
    } catch (error) {
      losses += 1;
      if (!isSnapshotLost(error) || losses > SNAPSHOT_LOSSES_MAX) throw error;
      load.log.warn({ err: error }, 'snapshot lost: unfinished tables start over under a new one');
      await forgetSnapshot(load.target, load.taskId);
    }
    checkOrders(load);
  }
}

/** A snapshot whose tables are those that are published at its moment, as only then nothing is between its rows and the changes. */
async function obtainPublishedSnapshot(load: Load): Promise<void> {
  for (;;) {
    await obtainSnapshot(load);
    const { isStructureDone, snapshot } = await readRecord(load);
    if (!load.isFollowed || isStructureDone) return;
    const changed = await publishAsOf(load, present(snapshot, 'the snapshot in the ledger'));
    if (changed === 0) return;
    load.log.info(
      { tables: changed },
      'tables came or were renamed while the snapshot was made: another one is needed',
    );
    await forgetSnapshot(load.target, load.taskId);
  }
}

async function readRecord({ target, taskId }: Load): Promise<LoadRecord> {
  return present(await readLoad(target, taskId), 'the load in the ledger');
}

async function resultOf(load: Load): Promise<StageResult> {
  const { slotLsn } = await readRecord(load);
  const { rows, bytes, tablesTotal } = await readCopyProgress(load.target, load.taskId, load.run.epoch);
  const consistentLsn = slotLsn === null ? null : formatLsn(slotLsn);
  return { stage: 'full-load', consistentLsn, rows, bytes, tables: tablesTotal };
}
