import { compareDatabases, type ComparisonReport } from '@sluice/postgres-compare';
import { connect } from '@sluice/postgres-client';
import { type ApiClient } from './api-client.js';
import { type Databases } from './arguments.js';
import { type Display } from './display.js';
import { type TaskFollower } from './follow-task.js';
import { formatBytes } from './format.js';
import { holdSource } from './source-hold.js';

export interface Verification {
  readonly report: ComparisonReport;
  /** Between the order to end the task and its end. */
  readonly endMs: number;
  readonly compareMs: number;
}

export interface VerifyContext {
  readonly api: ApiClient;
  readonly display: Display;
  readonly follower: TaskFollower;
  readonly databases: Databases;
  readonly signal: AbortSignal;
}

const COMPARE_SESSIONS = 2;

/**
 * Ends the task at an exact place in the source's WAL and compares the target, which has stopped there, with the
 * source as it was at that place. So the comparison is exact although writes on the source go on.
 */
export async function endAndVerify(taskId: string, context: VerifyContext): Promise<Verification> {
  const { api, display, follower, databases, signal } = context;
  await using held = await holdSource(databases.source, signal);
  display.line(`Ending the task at ${held.consistentLsn}; the source may be written on`);
  const endedFromMs = performance.now();
  await api.act(taskId, 'end', { untilLsn: held.consistentLsn });
  await follower.until(taskId, ({ state }) => state === 'ended', signal);
  const comparedFromMs = performance.now();
  const report = await compareAt(held.snapshotName, context);
  return { report, endMs: comparedFromMs - endedFromMs, compareMs: performance.now() - comparedFromMs };
}

/** @param sourceSnapshot absent when nobody writes to the source meanwhile. */
export async function compareAt(
  sourceSnapshot: string | undefined,
  { databases, display, signal }: Pick<VerifyContext, 'databases' | 'display' | 'signal'>,
): Promise<ComparisonReport> {
  await using source = await connect(databases.source, { applicationName: 'verification' });
  await using target = await connect(databases.target, { applicationName: 'verification' });
  const report = await compareDatabases(source, target, {
    ...(sourceSnapshot !== undefined && { sourceSnapshot }),
    parallel: { sessionCount: COMPARE_SESSIONS, ...databases },
    onProgress: ({ bytesDone, bytesTotal }) =>
      display.status([`comparing: ${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)} read on both sides`]),
    signal,
  });
  display.clear();
  return report;
}
