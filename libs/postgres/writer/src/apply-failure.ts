import { type ErrorCode, RowImage, SluiceError } from '@sluice/contracts';
import { formatLsn } from '@sluice/model';
import { hasSqlState, isConnectionLoss, quoteIdentifier, SQLSTATE, sqlStateOf } from '@sluice/postgres-client';
import { type JournalEntry } from './conflict-journal.js';
import { tableName, type TablePlan } from './table-plan.js';
import { type StatementFailure } from './target-pipeline.js';

/** Longest part of a key value that is shown. */
const SHOWN_VALUE_LENGTH = 64;

/** A folded statement did not do what its changes would: they are to be executed one by one. */
export class FoldedStatementFailed extends Error {
  override readonly name = 'FoldedStatementFailed';
}

/** A transaction that still runs at the source did what can be followed only once it is sent as a whole, after its commit. */
export class StreamedUnfit extends Error {
  override readonly name = 'StreamedUnfit';
}

/** Another way of writing may help, or tell what is wrong; a target that is gone, or another's by now, ends the run. */
export function asUnfit(failure: unknown): unknown {
  if (failure instanceof StreamedUnfit) return failure;
  if (failure instanceof SluiceError && (failure.code === 'SLUICE-5004' || failure.code === 'SLUICE-1012'))
    return failure;
  return new StreamedUnfit(failure instanceof Error ? failure.message : String(failure), { cause: failure });
}

/** A change came in binary form that can only be written from its text form: it has to be sent again as text. */
export class TextFormNeeded extends Error {
  override readonly name = 'TextFormNeeded';
}

/** The error for a change that failed for another reason than a conflict. @param key as JSON, when it could be read. */
export function changeFailed(
  { plan, operation, key }: { plan: TablePlan; operation: string; key: string | null },
  failure: StatementFailure,
): Error {
  const where = `${operation} on ${tableName(plan)}${describeKey(key)}`;
  if (failure.kind === 'server') return targetError(failure.error, where);
  return new SluiceError('SLUICE-5003', { detail: `${where}: ${failure.affected} rows affected` });
}

/** A change met a row that it did not expect, or met none, and nobody has said what to do then. */
export class ConflictStop extends Error {
  override readonly name = 'ConflictStop';

  constructor(readonly entry: JournalEntry) {
    super('conflict');
  }
}

/** The error that a conflict stops a task with. */
export function conflictError(conflictId: string, entry: JournalEntry): SluiceError {
  const { plan, operation, kind, constraint, key, commitLsn, changeNumber, targetRows } = entry;
  const { schema, name } = plan.relation;
  const what =
    kind === 'missing_row'
      ? 'the row does not exist on the target'
      : constraint === null
        ? `${targetRows.length} rows found on the target instead of 1`
        : `${targetRows.length} row(s) of the target are in the way (${quoteIdentifier(constraint)})`;
  return new SluiceError(kind === 'missing_row' || constraint === null ? 'SLUICE-5002' : 'SLUICE-5001', {
    detail: `${operation} on ${tableName(plan)}${describeKey(key)}: ${what}`,
    evidence: {
      schema,
      table: name,
      ...(constraint !== null && { constraint }),
      key: JSON.stringify(Object.fromEntries(shownValues(key))),
      commitLsn: formatLsn(commitLsn),
      changeNumber: String(changeNumber),
      conflictId,
    },
  });
}

/** The error for a folded statement; only what trying again row by row cannot change is final at once. */
export function foldedFailed(plan: TablePlan, failure: StatementFailure): Error {
  if (failure.kind === 'server' && !isRowError(failure.error)) return targetError(failure.error, tableName(plan));
  return new FoldedStatementFailed(tableName(plan), { cause: failure.kind === 'server' ? failure.error : undefined });
}

/** Class 22 (data), 23 (constraint), 25P02 (a statement behind the failed one), 21000, 42 (drift): the row decides. */
export function isRowError(error: unknown): boolean {
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

/** ` ("id"=7)`: the key only, so that a person finds the row; other values are never shown. */
function describeKey(key: string | null): string {
  const parts = shownValues(key).map(([name, value]) => `${quoteIdentifier(name)}=${value}`);
  return parts.length > 0 ? ` (${parts.join(', ')})` : '';
}

function shownValues(key: string | null): [string, string][] {
  return Object.entries(RowImage.parse(JSON.parse(key ?? '{}'))).map(([name, value]) => [
    name,
    (value ?? 'NULL').slice(0, SHOWN_VALUE_LENGTH),
  ]);
}
