import { SluiceError, type TaskSpec } from '@sluice/contracts';
import { formatLsn } from '@sluice/model';
import { connect, type Endpoint, isConnectionLoss } from '@sluice/postgres-client';
import { readEventSigning, type SigningRead } from '@sluice/postgres-ddl';
import { type DdlSettings, type ExecutedDdl, type PendingTables } from '@sluice/postgres-writer';
import { type Logger } from '@sluice/telemetry';
import { addedColumnsOf } from './added-columns.js';

export interface FollowDdlOptions {
  readonly task: TaskSpec;
  readonly source: Endpoint;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly onExecuted: (count: number) => void;
  /** How many were left out, as they are about objects that do not belong to the task. */
  readonly onOutside: (count: number) => void;
  readonly onForged: (count: number) => void;
}

/** How the writer treats DDL of the source; `null` when the task does not follow it. */
export function ddlSettings({ task, source, log, ...on }: FollowDdlOptions): DdlSettings | null {
  const { enabled, policies } = task.incremental.ddl;
  if (!enabled) return null;
  on.onExecuted(0);
  let wasForged = false;
  return {
    helperName: task.slotName,
    policies,
    decisions: task.ddlDecisions,
    ...((policies.table ?? 'apply') === 'apply' && {
      addedColumns: addedColumnsOf(source, { helperName: task.slotName, publicationName: task.publicationName }),
    }),
    signing: signingOf(source, task.slotName),
    onForged: (count) => {
      // Once: whoever writes one can write any number.
      if (!wasForged) log.warn({}, 'a message that looks like DDL was not written by the capture, and is left out');
      wasForged = true;
      on.onForged(count);
    },
    onExecuted: (executed) => {
      executed.forEach((ddl) => logExecuted(log, ddl));
      const outsideCount = executed.filter(({ outcome }) => outcome === 'outside').length;
      on.onExecuted(executed.length - outsideCount);
      on.onOutside(outsideCount);
    },
  };
}

/** Read at once, so that DDL which is in the stream already can be executed while the source is away; if that fails, when it is needed. */
function signingOf(source: Endpoint, helperName: string): DdlSettings['signing'] {
  const read = async (): Promise<SigningRead> => {
    await using client = await connect(source, { applicationName: 'signing', settings: { search_path: '' } });
    try {
      return await readEventSigning(client, helperName);
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      throw new SluiceError('SLUICE-1012', { detail: 'what events are signed with was not read', cause: error });
    }
  };
  const atOnce = read().catch(() => null);
  return async ({ isAnew }) => (isAnew ? null : await atOnce) ?? read();
}

export function logExecuted(
  log: FollowDdlOptions['log'],
  { place, tag, identity, outcome, reason }: ExecutedDdl,
): void {
  const fields = { lsn: formatLsn(place.commitLsn), number: place.number, tag, identity, reason };
  log[outcome === 'skipped' ? 'warn' : 'info'](fields, `DDL ${outcome}`);
}

/** The changes are over, and the rows of these tables are as of no position that would still come. */
export function refuseEnd(pending: PendingTables): SluiceError | null {
  if (pending.tables.length === 0) return null;
  const names = pending.tables.map(({ schema, name }) => `${schema}.${name}`).join(', ');
  return new SluiceError('SLUICE-5012', {
    detail: `changes end before these tables have joined: ${names}`,
    remedy: 'End the task once more; without untilLsn it ends when the tables have joined.',
  });
}
