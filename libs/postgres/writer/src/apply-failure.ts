import { SluiceError, type ErrorCode } from '@sluice/contracts';
import { hasSqlState, isConnectionLoss, quoteIdentifier, SQLSTATE, sqlStateOf } from '@sluice/postgres-client';
import { CELL_KIND, readTuple, TupleView } from '@sluice/postgres-replication';
import { type TupleRef } from './row-source.js';
import { tableName, type TablePlan } from './table-plan.js';
import { type StatementFailure } from './target-pipeline.js';

export interface FailedChange {
  readonly plan: TablePlan;
  readonly operation: 'insert' | 'update' | 'delete' | 'truncate';
  /** A tuple that holds the key of the row, when there is one row. */
  readonly row: TupleRef | null;
}

/** Longest part of a key value that is shown. */
const SHOWN_VALUE_LENGTH = 64;

/** A folded statement did not do what its changes would: they are to be executed one by one. */
export class FoldedStatementFailed extends Error {
  override readonly name = 'FoldedStatementFailed';
}

/** A change came in binary form that can only be written from its text form: it has to be sent again as text. */
export class TextFormNeeded extends Error {
  override readonly name = 'TextFormNeeded';
}

/** The error for a change that was executed by itself: what happened to which row. */
export function changeFailed(change: FailedChange, failure: StatementFailure): Error {
  const where = `${change.operation} on ${tableName(change.plan)}${describeKey(change)}`;
  if (failure.kind === 'rows') {
    return new SluiceError('SLUICE-5002', {
      detail: `${where}: ${failure.affected} rows found on the target instead of 1`,
    });
  }
  return targetError(failure.error, where);
}

/** The error for a folded statement; only what trying again row by row cannot change is final at once. */
export function foldedFailed(plan: TablePlan, failure: StatementFailure): Error {
  if (failure.kind === 'server' && !isRowError(failure.error)) return targetError(failure.error, tableName(plan));
  return new FoldedStatementFailed(tableName(plan), { cause: failure.kind === 'server' ? failure.error : undefined });
}

/** Class 22 (data), 23 (constraint), 25P02 (a statement behind the failed one), 21000, 42 (drift): the row decides. */
function isRowError(error: unknown): boolean {
  return /^(21|22|23|42|44)|^25P02$/.test(sqlStateOf(error) ?? '');
}

/** A server's error on the target as a catalogued one. */
export function targetError(error: unknown, where: string): Error {
  if (error instanceof SluiceError) return error;
  const detail = `${where}: ${error instanceof Error ? error.message : String(error)}`;
  return new SluiceError(codeOf(error), { detail, cause: error });
}

function codeOf(error: unknown): ErrorCode {
  if (hasSqlState(error, SQLSTATE.uniqueViolation, SQLSTATE.exclusionViolation)) return 'SLUICE-5001';
  if (hasSqlState(error, SQLSTATE.readOnlySqlTransaction)) return 'SLUICE-5008';
  if (
    hasSqlState(
      error,
      SQLSTATE.deadlockDetected,
      SQLSTATE.serializationFailure,
      SQLSTATE.lockNotAvailable,
      SQLSTATE.queryCanceled,
    )
  )
    return 'SLUICE-5011';
  if (sqlStateOf(error)?.startsWith('53')) return 'SLUICE-5009';
  if (isConnectionLoss(error)) return 'SLUICE-1012';
  return 'SLUICE-5003';
}

const view = new TupleView(64);

/** ` (id=7)`: the key only, so that a person finds the row; other values are never shown. */
function describeKey({ plan, row }: FailedChange): string {
  if (!row || !plan.key) return '';
  const { kinds, starts, lengths } = readTuple(row.buffer, row.offset, view);
  const parts = plan.key.map(({ name, position }) => {
    if (kinds[position] !== CELL_KIND.text) return `${quoteIdentifier(name)}=?`;
    const start = starts[position] ?? 0;
    const length = Math.min(lengths[position] ?? 0, SHOWN_VALUE_LENGTH);
    return `${quoteIdentifier(name)}=${row.buffer.toString('utf8', start, start + length)}`;
  });
  return ` (${parts.join(', ')})`;
}
