import { type Client } from '@sluice/postgres-client';
import { connectTarget, forgetSnapshot, withdrawChunks } from '@sluice/postgres-snapshot';
import { type StageReporter } from '@sluice/service-runtime';
import { type Logger } from '@sluice/telemetry';
import { type FindDatabases } from './task-databases.js';

/**
 * A task can wait for days for a person, and a snapshot holds back vacuum on the source: what is unfinished starts over
 * under a new one. Items that are still on their way find nothing to do.
 */
export async function letGo(target: Client, taskId: string): Promise<void> {
  await forgetSnapshot(target, taskId);
  await withdrawChunks(target, taskId);
}

/** Lets go before a failure is reported, whatever it was: only here is it known that no attempt follows. */
export function lettingGo(
  reporter: StageReporter,
  options: { readonly taskId: string; readonly findDatabases: FindDatabases; readonly log: Pick<Logger, 'warn'> },
): StageReporter {
  const { taskId, findDatabases, log } = options;
  return {
    ...reporter,
    failed: async (error, result) => {
      try {
        const { target } = await findDatabases(taskId);
        await using session = await connectTarget(target, { applicationName: `full-load ${taskId}` });
        await letGo(session, taskId);
      } catch (unreachable) {
        // Who cannot be reached, or has no bookkeeping yet, names no snapshot to a worker either.
        log.warn({ err: unreachable }, 'the snapshot could not be let go');
      }
      await reporter.failed(error, result);
    },
  };
}
