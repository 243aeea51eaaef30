import { SluiceError, type TaskSpec } from '@sluice/contracts';
import { formatLsn } from '@sluice/model';
import { type Endpoint } from '@sluice/postgres-client';
import { type DdlSettings, type ExecutedDdl, type PendingTables } from '@sluice/postgres-writer';
import { type Logger } from '@sluice/telemetry';
import { addedColumnsOf } from './added-columns.js';

export interface FollowDdlOptions {
  readonly task: TaskSpec;
  readonly source: Endpoint;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly onExecuted: (count: number) => void;
}

/** How the writer treats DDL of the source; `null` when the task does not follow it. */
export function ddlSettings({ task, source, log, onExecuted }: FollowDdlOptions): DdlSettings | null {
  const { enabled, policies } = task.incremental.ddl;
  if (!enabled) return null;
  onExecuted(0);
  return {
    helperName: task.slotName,
    policies,
    decisions: task.ddlDecisions,
    ...((policies.table ?? 'apply') === 'apply' && {
      addedColumns: addedColumnsOf(source, { helperName: task.slotName, publicationName: task.publicationName }),
    }),
    onExecuted: (executed) => {
      executed.forEach((ddl) => logExecuted(log, ddl));
      onExecuted(executed.length);
    },
  };
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
