import { SluiceError, type StageResult } from '@sluice/contracts';
import { present } from '@sluice/kernel';
import { formatLsn } from '@sluice/model';
import { readTables, readVersionNum } from '@sluice/postgres-catalog';
import {
  connectSource,
  connectTarget,
  ensurePublication,
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
import { refuseCollisions, transferStructure } from './transfer-structure.js';

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
  const load: Load = { ...context, taskId, source, target, isFollowed, ledger: await watchLedger(target, taskId) };
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
    await copySequences(load);
    await markLoaded(load.target, load.taskId);
  }
  await reportTotals(load, 'done');
  return resultOf(load);
}

async function copyEverything(load: Load, record: LoadRecord): Promise<void> {
  if (record.generation === 0) await prepareSource(load, record);
  for (let losses = 0; ;) {
    try {
      load.report(phaseProgress('snapshot'));
      await obtainSnapshot(load);
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

/** Before the first snapshot: nothing on the target may be in the way, and changes must be published before the slot. */
async function prepareSource(load: Load, record: LoadRecord): Promise<void> {
  load.report(phaseProgress('structure'));
  if (!record.isStructureDone) await refuseCollisions(load);
  if (!load.isFollowed) return;
  const { source, run } = load;
  try {
    const facts = { tables: await readTables(source), versionNum: await readVersionNum(source) };
    await ensurePublication(source, run.task.publicationName, facts);
  } catch (error) {
    if (!(error instanceof Error) || !/permission denied|must be owner/.test(error.message)) throw error;
    throw new SluiceError('SLUICE-4005', {
      detail: `publication ${run.task.publicationName}: ${error.message}`,
      remedy: 'Make the role the owner of the tables and grant it CREATE on the database.',
      cause: error,
    });
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
