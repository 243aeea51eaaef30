import { type ErrorCode, SluiceError } from '@sluice/contracts';
import { isConnectionLoss, SQLSTATE, sqlStateOf } from '@sluice/postgres-client';
import { type LedgerError, ledgerFailure } from '@sluice/postgres-snapshot';

/** A person ordered the task to pause or to end. */
export class StopOrdered extends Error {
  override readonly name = 'StopOrdered';
}

/** Stands in the ledger: a worker gave up after its own retries, so that another retry is of no use. */
export class RecordedFailure extends Error {
  override readonly name = 'RecordedFailure';
  readonly failure: SluiceError;

  constructor(failure: SluiceError) {
    super(failure.message);
    this.failure = failure;
  }
}

export function throwRecorded(error: LedgerError): never {
  const failure = ledgerFailure(error);
  throw failure.code === 'SLUICE-3003' ? failure : new RecordedFailure(failure);
}

export function isSnapshotLost(error: unknown): boolean {
  return error instanceof SluiceError && error.code === 'SLUICE-3003';
}

/** The catalogued form of what the work on a load threw. The server's state decides, also below a wrapping error. */
export function classifyLoadError(error: unknown): SluiceError {
  const origin = error instanceof SluiceError && error.cause !== undefined ? error.cause : error;
  const code = environmentalCode(origin);
  if (error instanceof SluiceError && (code === null || error.spec.retry === 'backoff')) return error;
  const detail = error instanceof SluiceError ? error.detail : describe(error);
  return new SluiceError(code ?? 'SLUICE-9001', { detail, cause: error });
}

/** The world around the statement is at fault, and can heal. */
function environmentalCode(error: unknown): ErrorCode | null {
  const state = sqlStateOf(error);
  if (state === SQLSTATE.tooManyConnections) return 'SLUICE-1010';
  if (state === SQLSTATE.readOnlySqlTransaction) return 'SLUICE-5008';
  if (state?.startsWith('53') === true) return 'SLUICE-5009';
  if (state === SQLSTATE.lockNotAvailable || state === SQLSTATE.deadlockDetected) return 'SLUICE-5011';
  return isConnectionLoss(error) ? 'SLUICE-1012' : null;
}

/** The message of a server's error names objects and the rule that was broken; rows stand in its detail, which is left out (I9). */
function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
