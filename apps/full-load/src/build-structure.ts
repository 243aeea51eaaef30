import { delay } from '@sluice/kernel';
import { isAnyStepLocked, readBuildProgress, readCopyProgress, readOpenSteps } from '@sluice/postgres-snapshot';
import { type BuildContext, checkOrders } from './load-context.js';
import { throwRecorded } from './load-errors.js';
import { buildProgress } from './load-progress.js';
import { taskOfItem, WorkItems } from './work-items.js';

const LOOK_INTERVAL_MS = 500;
/** Thousands of small indexes are built faster than it makes sense to look. */
const REST_MS = 15;

/**
 * Has what comes after the rows built: group by group, the steps of a group by all workers at once.
 * @param scope `before-join` leaves out what needs all tables to be of one moment.
 */
export async function buildStructure(load: BuildContext, scope: 'before-join' | 'all'): Promise<void> {
  const { target, taskId, run } = load;
  const copied = await readCopyProgress(target, taskId, run.epoch);
  const toRun = (stepId: string) =>
    ({ version: 1, runId: stepId, epoch: run.epoch, task: taskOfItem(run.task), stage: 'build', stepId }) as const;
  let items = new WorkItems(load, toRun);
  let givenOut: number | null = null;
  for (;;) {
    checkOrders(load);
    const progress = await readBuildProgress(target, taskId, run.epoch);
    load.report(buildProgress(copied, progress));
    if (progress.error) throwRecorded(progress.error);
    const openGroup = scope === 'all' ? progress.openGroup : progress.openGroupBeforeJoin;
    if (openGroup === null) return;
    const readOpen = (): Promise<string[]> => readOpenSteps(target, taskId, openGroup);
    if (openGroup !== givenOut) {
      givenOut = openGroup;
      items = new WorkItems(load, toRun);
      await items.giveOut(await readOpen());
    }
    await items.watchOver(progress.stepsDone, { isAnyAtWork: () => isAnyStepLocked(target, taskId), open: readOpen });
    await load.ledger.next(LOOK_INTERVAL_MS);
    await delay(REST_MS);
  }
}

/** For the last words of a load: all that there was to do. */
export async function reportTotals(
  { target, taskId, run, report }: BuildContext,
  phase: 'finishing' | 'done',
): Promise<void> {
  const copied = await readCopyProgress(target, taskId, run.epoch);
  report(buildProgress(copied, await readBuildProgress(target, taskId, run.epoch), phase));
}
