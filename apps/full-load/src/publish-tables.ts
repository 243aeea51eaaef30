import { SluiceError } from '@sluice/contracts';
import { type QualifiedName, readSelectedTables, readVersionNum, selectTables } from '@sluice/postgres-catalog';
import { hasSqlState, SQLSTATE } from '@sluice/postgres-client';
import { ddlCaptureState, installDdlCapture } from '@sluice/postgres-ddl';
import { publishedStrangers, unpublishedTables } from '@sluice/postgres-replication';
import {
  beginUnderSnapshot,
  ensurePublication,
  type ExportedSnapshot,
  type LoadRecord,
  publishTables,
  withdrawTables,
} from '@sluice/postgres-snapshot';
import { type Load } from './load-context.js';
import { refuseCollisions } from './transfer-structure.js';

/** Before the first snapshot: nothing on the target may be in the way, and changes must be published before the slot. */
export async function prepareSource(load: Load, record: LoadRecord): Promise<void> {
  if (!record.isStructureDone) await refuseCollisions(load);
  if (!load.isFollowed) return;
  const { source, run, judge } = load;
  try {
    const facts = { tables: await readSelectedTables(source, judge), versionNum: await readVersionNum(source) };
    await ensurePublication(source, run.task.publicationName, facts);
  } catch (error) {
    throw asPublicationError(error, run.task.publicationName);
  }
  // Order: before the slot. What commits below its consistent point is in the structure, what commits above is captured.
  if (run.task.incremental.ddl.enabled) await captureDdl(load);
}

/** Without the right to it the task follows what descriptions of changed tables tell, as its precheck has said. */
async function captureDdl({ source, run, log }: Load): Promise<void> {
  const { slotName, publicationName } = run.task;
  const options = { helperName: slotName, publicationName };
  try {
    await installDdlCapture(source, options);
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'SLUICE-4008') throw error;
    if ((await ddlCaptureState(source, options)).mayInstall) throw error;
    log.warn({ err: error }, 'no right to capture DDL: only added columns are followed');
  }
}

/**
 * The slot waits for running transactions, and these may create or rename tables after the publication was made: the
 * snapshot sees tables that the publication lacks, or not any more those that it has. Publishes and withdraws them, for a
 * snapshot that is made afterwards.
 * @returns how many tables of this snapshot were not published as they should be at its moment.
 * @throws SluiceError 3003 when the snapshot is lost, 4005 when the role may not publish a table.
 */
export async function publishAsOf(load: Load, snapshot: ExportedSnapshot): Promise<number> {
  const { source, run } = load;
  const { publicationName } = run.task;
  await beginUnderSnapshot(source, snapshot);
  const seen = await findDifference(load);
  await source.query('COMMIT');
  const count = seen.late.length + seen.strangers.length;
  if (count === 0) return 0;
  // Some may have been dropped since, or published by a run that was killed then.
  const now = await findDifference(load);
  try {
    if (now.late.length > 0) await publishTables(source, publicationName, now.late);
    if (now.strangers.length > 0) await withdrawTables(source, publicationName, now.strangers);
  } catch (error) {
    // Dropped at this moment: the look at the next snapshot says what is left.
    if (!hasSqlState(error, SQLSTATE.undefinedTable)) throw asPublicationError(error, publicationName);
  }
  return count;
}

async function findDifference({ source, run, judge }: Load): Promise<{
  readonly late: readonly QualifiedName[];
  readonly strangers: readonly QualifiedName[];
}> {
  const { publicationName } = run.task;
  return {
    late: await selectTables(source, await unpublishedTables(source, publicationName), { judge }),
    strangers: await publishedStrangers(source, publicationName, judge),
  };
}

function asPublicationError(error: unknown, publicationName: string): unknown {
  if (!(error instanceof Error) || !/permission denied|must be owner/.test(error.message)) return error;
  return new SluiceError('SLUICE-4005', {
    detail: `publication ${publicationName}: ${error.message}`,
    remedy: 'Make the role the owner of the tables and grant it CREATE on the database.',
    cause: error,
  });
}
