import { type StageRunOf } from '@sluice/contracts';
import { connectTarget, finishLoad, readLoad, tryLockFinisher, watchLedger } from '@sluice/postgres-snapshot';
import { type WorkOutcome } from '@sluice/service-runtime';
import { buildStructure, reportTotals } from './build-structure.js';
import { type BuildContext } from './load-context.js';
import { RecordedFailure, StopOrdered } from './load-errors.js';
import { type TaskDatabases } from './task-databases.js';

export interface FinishContext extends Pick<BuildContext, 'signal' | 'isStopOrdered' | 'publishItem' | 'report'> {
  readonly run: StageRunOf<'finish-load'>;
  readonly databases: TaskDatabases;
}

/**
 * Has the rest of a load built while changes are applied: what awaited that all tables are of one moment. Apply gives
 * the order and looks in the ledger for the end, so one that is lost or comes twice does no harm.
 */
export async function finishOpenLoad(context: FinishContext): Promise<WorkOutcome> {
  const { taskId } = context.run.task;
  await using target = await connectTarget(context.databases.target, { applicationName: `finish-load ${taskId}` });
  const record = await readLoad(target, taskId);
  // Cleaned up meanwhile, or done; the bookkeeping must not be made anew.
  if (record?.isLoaded !== true || record.isFinished) return { kind: 'done' };
  if (!(await tryLockFinisher(target, taskId))) return { kind: 'done' };
  try {
    const load = { ...context, taskId, target, ledger: await watchLedger(target, taskId) };
    await buildStructure(load, 'all');
    await finishLoad(target, taskId);
    await reportTotals(load, 'done');
  } catch (error) {
    // A failed step stands in the ledger, where apply finds it.
    if (!(error instanceof RecordedFailure) && !(error instanceof StopOrdered)) throw error;
  }
  return { kind: 'done' };
}
