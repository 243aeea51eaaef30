import { SluiceError, type TaskSpec } from '@sluice/contracts';
import { judgeObjects, type ObjectJudge } from '@sluice/model';
import { selectTables } from '@sluice/postgres-catalog';
import { type Client } from '@sluice/postgres-client';
import { ddlCaptureState, installDdlCapture } from '@sluice/postgres-ddl';
import {
  publishedTableOids,
  requirePublication,
  type UnpublishedTable,
  unpublishedTables,
} from '@sluice/postgres-replication';

/** More names would not help a person. */
const TABLES_SHOWN_MAX = 20;

type CoveredTask = Pick<TaskSpec, 'slotName' | 'publicationName' | 'incremental' | 'objects'>;

/**
 * Looks whether the changes of every table of the task are published. A table that is not in the publication is missing on
 * the target for ever, and nothing in the stream of changes tells of it.
 */
export class Coverage {
  readonly #task: CoveredTask;
  readonly #judge: ObjectJudge;
  /** As of the first look: what is missing of these was taken out, anything else is new. */
  #publishedOids: ReadonlySet<number> | null = null;

  constructor(task: CoveredTask) {
    this.#task = task;
    this.#judge = judgeObjects(task.objects);
  }

  /** @throws SluiceError 4005 when the publication was changed, 4006 when a table is new, 4008 when DDL is captured no more. */
  async check(client: Client): Promise<void> {
    const { publicationName } = this.#task;
    await requirePublication(client, publicationName);
    const found = await unpublishedTables(client, publicationName);
    // Whatever it is called now: a table that is followed stays with the task.
    const removed = found.filter(({ oid }) => this.#publishedOids?.has(oid));
    if (removed.length > 0) {
      const detail = `publication ${publicationName} lost ${namesOf(removed)}`;
      throw new SluiceError('SLUICE-4005', { detail });
    }
    const unpublished = await selectTables(client, found, { judge: this.#judge, by: 'joins' });
    const joinsByItself = await this.#isDdlCaptured(client);
    if (unpublished.length > 0 && !joinsByItself)
      throw new SluiceError('SLUICE-4006', { detail: namesOf(unpublished) });
    this.#publishedOids ??= new Set(await publishedTableOids(client, publicationName));
  }

  /** Then apply hears of a new table, and has it published. */
  async #isDdlCaptured(client: Client): Promise<boolean> {
    const { slotName, publicationName, incremental } = this.#task;
    if (!incremental.ddl.enabled) return false;
    const options = { helperName: slotName, publicationName };
    const found = await ddlCaptureState(client, options);
    // Of an earlier version of Sluice: what it writes may not be believed any more.
    const isOld = found.isRunning && !found.isCurrent && found.mayInstall;
    if (isOld) {
      await installDdlCapture(client, options).catch((error: unknown) => {
        // It is in somebody's way, and the next look may try again.
        if (!found.isComplete) throw error;
      });
    }
    const state = isOld ? await ddlCaptureState(client, options) : found;
    if (state.isInstalled && !state.isComplete)
      throw new SluiceError('SLUICE-4008', { detail: `missing: ${state.missing.join(', ')}` });
    return state.isInstalled;
  }
}

function namesOf(tables: readonly UnpublishedTable[]): string {
  const names = tables.slice(0, TABLES_SHOWN_MAX).map(({ schema, name }) => `${schema}.${name}`);
  const more = tables.length > TABLES_SHOWN_MAX ? ` and ${tables.length - TABLES_SHOWN_MAX} more` : '';
  return `${names.join(', ')}${more}`;
}
