import { type Conflict, type StageRunOf } from '@sluice/contracts';
import { judgeObjects } from '@sluice/model';
import { removeDdlCapture } from '@sluice/postgres-ddl';
import {
  connectSource,
  connectTarget,
  dropPublication,
  dropSlot,
  dropTaskBookkeeping,
  readLoad,
} from '@sluice/postgres-snapshot';
import { handOverJournal } from '@sluice/postgres-writer';
import { type WorkOutcome } from '@sluice/service-runtime';
import { copySequences } from './copy-sequences.js';
import { settleRoles } from './settle-roles.js';
import { type TaskDatabases } from './task-databases.js';

/**
 * Removes what the task left on both servers; what is not there is fine. The bookkeeping goes last, as it says whether
 * the sequences still have to be set and which conflicts nobody else knows of.
 */
export async function cleanUp(
  run: StageRunOf<'cleanup'>,
  databases: TaskDatabases,
  recordConflicts: (conflicts: Conflict[]) => Promise<void>,
): Promise<WorkOutcome> {
  const { taskId, slotName, publicationName, incremental, users, objects } = run.task;
  await using source = await connectSource(databases.source, { applicationName: `cleanup ${taskId}` });
  await using target = await connectTarget(databases.target, { applicationName: `cleanup ${taskId}` });
  const record = await readLoad(target, taskId);
  const isLoaded = record?.isLoaded === true;
  // Order: before the publication goes, which tells what tables that were renamed belong to the task.
  if (isLoaded) await copySequences({ source, target }, { judge: judgeObjects(objects), publicationName });
  await settleRoles({ source, target }, { taskId, withMemberships: isLoaded && users.privileges });
  await dropSlot(source, slotName);
  if (incremental.ddl.enabled) await removeDdlCapture(source, slotName);
  await dropPublication(source, publicationName);
  await handOverJournal(target, taskId, recordConflicts);
  await dropTaskBookkeeping(target, taskId);
  return { kind: 'succeeded', result: { stage: 'cleanup' } };
}
