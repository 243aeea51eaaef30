import { SluiceError } from '@sluice/contracts';
import { connectTarget, type LedgerError } from '@sluice/postgres-snapshot';
import { type Client } from '@sluice/postgres-client';
import { errorReport, type StageReporter } from '@sluice/service-runtime';
import { type FindDatabases } from './task-databases.js';

export interface LedgerReporterOptions {
  readonly taskId: string;
  readonly epoch: number;
  readonly findDatabases: FindDatabases;
  readonly record: (target: Client, error: LedgerError) => Promise<void>;
}

/**
 * How the workers of a coordinator report: a failure is noted in the ledger, where the coordinator sees it and ends the
 * load. Success needs no word, it stands there already.
 */
export function ledgerReporter({ taskId, epoch, findDatabases, record }: LedgerReporterOptions): StageReporter {
  const silent = (): Promise<void> => Promise.resolve();
  return {
    started: silent,
    running: silent,
    recovering: silent,
    succeeded: silent,
    stopped: silent,
    progress: () => undefined,
    failed: async (error) => {
      try {
        const { target } = await findDatabases(taskId);
        await using session = await connectTarget(target, { applicationName: `full-load ${taskId}` });
        await record(session, { ...errorReport(error), epoch });
      } catch (unrecorded) {
        // Who may not log in cannot note it either, nor could the next worker; the coordinator meets the same refusal.
        if (unrecorded instanceof SluiceError && unrecorded.spec.retry === 'manual') return;
        throw unrecorded;
      }
    },
  };
}
