import { type ErrorReport, SluiceError } from '@sluice/contracts';
import { type Client } from '@sluice/postgres-client';

/** A failure as it stands in the ledger; one of an earlier epoch is history. */
export interface LedgerError extends ErrorReport {
  readonly epoch: number;
}

/** What was noted, as the error that it was. */
export function ledgerFailure(error: LedgerError): SluiceError {
  return SluiceError.fromReport(error);
}

/** Workers and coordinator meet in the ledger; a notification spares the coordinator its next look. */
export function ledgerChannel(taskId: string): string {
  return `sluice_${taskId.replaceAll('-', '')}`;
}

/** Part of the transaction that changes the ledger: it is heard when that commits. */
export async function notifyLedger(target: Client, taskId: string): Promise<void> {
  await target.query('SELECT pg_catalog.pg_notify($1, $2)', [ledgerChannel(taskId), '']);
}

export interface LedgerWatch {
  /** Resolves at the next change, at the latest after `timeoutMs`. */
  next(timeoutMs: number): Promise<void>;
}

/** Hears of changes of the task's ledger. Where notifications do not pass (a pooler), the time limit is what is left. */
export async function watchLedger(target: Client, taskId: string): Promise<LedgerWatch> {
  let changed = false;
  let wake: () => void = () => undefined;
  target.on('notification', () => {
    changed = true;
    wake();
  });
  await target.query(`LISTEN ${ledgerChannel(taskId)}`);
  return {
    async next(timeoutMs) {
      if (!changed) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        const timer = setTimeout(resolve, timeoutMs);
        await promise;
        clearTimeout(timer);
      }
      changed = false;
    },
  };
}
