import { SluiceError } from '@sluice/contracts';
import { formatLsn, type Lsn } from '@sluice/model';
import { type Client, hasSqlState, inTransaction, isConnectionLoss, SQLSTATE } from '@sluice/postgres-client';
import { randomUUID } from 'node:crypto';
import { orNoRows } from './chunk-ledger.js';
import { ledgerChannel, type LedgerError, notifyLedger } from './ledger-events.js';

export interface NewBuildStep {
  /** Groups run one after the other; the steps of one at the same time. */
  readonly group: number;
  readonly identity: string;
  readonly sql: string;
  /** It looks at rows of several tables, or comes after a step that does: all tables must be of one moment. */
  readonly awaitsJoin: boolean;
}

export interface BuildProgress {
  readonly stepsTotal: number;
  readonly stepsDone: number;
  /** The earliest group that is not done; `null` when all are. */
  readonly openGroup: number | null;
  /** The same without the steps that await the join. */
  readonly openGroupBeforeJoin: number | null;
  readonly error: LedgerError | null;
}

/**
 * In one transaction: `createStructure`, the steps that remain for after the data, and the note that it is done. A
 * coordinator that was replaced without knowing yet may have done it meanwhile; then nothing is left to do.
 */
export async function recordStructure(
  target: Client,
  taskId: string,
  structure: {
    readonly createStructure: () => Promise<void>;
    readonly steps: readonly NewBuildStep[];
    /** Of the snapshot that it was read under; DDL of the source from there on is still to come. */
    readonly structureLsn?: Lsn | null;
  },
): Promise<void> {
  const { createStructure, steps, structureLsn = null } = structure;
  await inTransaction(target, 'BEGIN', async () => {
    const open = await target.query('SELECT FROM sluice.load WHERE task_id = $1 AND NOT structure_done FOR UPDATE', [
      taskId,
    ]);
    if (open.rows.length === 0) return;
    await createStructure();
    const rows = steps.map((step, position) => ({ ...step, position, stepId: randomUUID() }));
    await target.query(
      `INSERT INTO sluice.build_step (step_id, task_id, position, step_group, identity, sql, awaits_join)
       SELECT "stepId", $1, position, "group", identity, sql, "awaitsJoin"
       FROM jsonb_to_recordset($2) AS s("stepId" uuid, position int, "group" int, identity text, sql text,
         "awaitsJoin" boolean)`,
      [taskId, JSON.stringify(rows)],
    );
    await target.query('UPDATE sluice.load SET structure_done = true, structure_lsn = $2::pg_lsn WHERE task_id = $1', [
      taskId,
      structureLsn === null ? null : formatLsn(structureLsn),
    ]);
  });
}

/** Steps of a group that are not done, in their order. */
export async function readOpenSteps(target: Client, taskId: string, group: number): Promise<string[]> {
  const { rows } = await target.query<{ stepId: string }>(
    `SELECT step_id::text AS "stepId" FROM sluice.build_step
     WHERE task_id = $1 AND step_group = $2 AND done_at IS NULL ORDER BY position`,
    [taskId, group],
  );
  return rows.map(({ stepId }) => stepId);
}

/** True while some worker is inside a step of the task. */
export async function isAnyStepLocked(target: Client, taskId: string): Promise<boolean> {
  const { rows } = await target.query<{ locked: boolean }>(
    `SELECT count(*) < (SELECT count(*) FROM sluice.build_step WHERE task_id = $1 AND done_at IS NULL) AS locked
     FROM (SELECT FROM sluice.build_step WHERE task_id = $1 AND done_at IS NULL FOR UPDATE SKIP LOCKED) AS free`,
    [taskId],
  );
  return rows[0]?.locked ?? false;
}

export async function readBuildProgress(target: Client, taskId: string, epoch: number): Promise<BuildProgress> {
  const { rows } = await target.query<BuildProgress>(
    `SELECT count(*)::int AS "stepsTotal", count(done_at)::int AS "stepsDone",
            min(step_group) FILTER (WHERE done_at IS NULL) AS "openGroup",
            min(step_group) FILTER (WHERE done_at IS NULL AND NOT awaits_join) AS "openGroupBeforeJoin",
            (array_agg(error) FILTER (WHERE done_at IS NULL AND (error ->> 'epoch')::int = $2))[1] AS error
     FROM sluice.build_step WHERE task_id = $1`,
    [taskId, epoch],
  );
  return rows[0] ?? { stepsTotal: 0, stepsDone: 0, openGroup: null, openGroupBeforeJoin: null, error: null };
}

export async function recordStepError(
  target: Client,
  { stepId, taskId }: { readonly stepId: string; readonly taskId: string },
  error: LedgerError,
): Promise<void> {
  await target.query('UPDATE sluice.build_step SET error = $2 WHERE step_id = $1 AND done_at IS NULL', [
    stepId,
    JSON.stringify(error),
  ]);
  await notifyLedger(target, taskId);
}

/**
 * How long a step waits for each lock while changes are applied, attempt by attempt: apply waits behind it. Short at
 * first: below deadlock_timeout it is the step that yields, not apply. At last beyond it: only such a wait ends an
 * autovacuum that is in the way. Also the number of attempts after a deadlock between builds.
 */
const LOCK_TIMEOUTS_MS = [200, 400, 800, 2_000, 4_000];

/**
 * Executes a step exactly once: it and its mark commit together.
 * @returns false when there is nothing to do any more.
 * @throws SluiceError 3006 with the object and what the server said; 5011 when a lock was not to be had.
 */
export async function runBuildStep(
  target: Client,
  stepId: string,
  passing?: (moment: 'before-commit') => void | Promise<void>,
): Promise<boolean> {
  for (const lockTimeoutMs of LOCK_TIMEOUTS_MS) {
    try {
      return await inTransaction(target, 'BEGIN', () => executeStep(target, { stepId, lockTimeoutMs }, passing));
    } catch (error) {
      const mayRetry = hasSqlState(causeOf(error), SQLSTATE.deadlockDetected, SQLSTATE.lockNotAvailable);
      if (!mayRetry) throw error;
      if (lockTimeoutMs !== LOCK_TIMEOUTS_MS.at(-1)) continue;
      const detail = error instanceof SluiceError ? error.detail : 'a step of the ledger';
      throw new SluiceError('SLUICE-5011', { detail, cause: error });
    }
  }
  return false;
}

async function executeStep(
  target: Client,
  { stepId, lockTimeoutMs }: { readonly stepId: string; readonly lockTimeoutMs: number },
  passing: ((moment: 'before-commit') => void | Promise<void>) | undefined,
): Promise<boolean> {
  const { rows } = await orNoRows<{ taskId: string; identity: string; sql: string; isLoaded: boolean }>(target, {
    name: 'sluice_lock_step',
    text: `SELECT s.task_id AS "taskId", s.identity, s.sql, l.loaded_at IS NOT NULL AS "isLoaded"
           FROM sluice.build_step s JOIN sluice.load l ON l.task_id = s.task_id
           WHERE s.step_id = $1 AND s.done_at IS NULL FOR UPDATE OF s`,
    values: [stepId],
  });
  const step = rows[0];
  if (!step) return false;
  if (step.isLoaded) await target.query(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
  try {
    await target.query(step.sql);
  } catch (error) {
    if (isConnectionLoss(error) || !(error instanceof Error)) throw error;
    throw new SluiceError('SLUICE-3006', { detail: `${step.identity}: ${error.message}`, cause: error });
  }
  await target.query({
    name: 'sluice_step_done',
    text: `WITH done AS (UPDATE sluice.build_step SET error = NULL, done_at = now() WHERE step_id = $1)
           SELECT pg_catalog.pg_notify($2, '')`,
    values: [stepId, ledgerChannel(step.taskId)],
  });
  await passing?.('before-commit');
  return true;
}

function causeOf(error: unknown): unknown {
  return error instanceof SluiceError ? error.cause : error;
}
