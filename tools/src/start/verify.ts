import { helperObjectName, SluiceError } from '@sluice/contracts';
import { delay } from '@sluice/kernel';
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
  // Must come before the snapshot: a task that runs on would be past its LSN when the order to end there arrives.
  await api.act(taskId, 'pause');
  await untilCaptureStopped(taskId, context);
  await using held = await holdSource(databases.source, signal);
  display.line(`Ending the task at ${held.consistentLsn}; the source may be written on`);
  const endedFromMs = performance.now();
  await api.act(taskId, 'end', { untilLsn: held.consistentLsn });
  await follower.until(taskId, ({ state }) => state === 'ended', signal);
  const comparedFromMs = performance.now();
  const report = await compareAt(held.snapshotName, context);
  return { report, endMs: comparedFromMs - endedFromMs, compareMs: performance.now() - comparedFromMs };
}

const CAPTURE_STOP_DEADLINE_MS = 30_000;
const CAPTURE_STOP_POLL_MS = 50;

/** Nobody reads the slot any more, so nothing that commits from now on is on its way to the target. */
async function untilCaptureStopped(taskId: string, { databases, signal }: VerifyContext): Promise<void> {
  await using client = await connect(databases.source, { applicationName: 'verification' });
  const deadlineMs = performance.now() + CAPTURE_STOP_DEADLINE_MS;
  for (;;) {
    const { rows } = await client.query<{ active: boolean }>(
      'SELECT active FROM pg_catalog.pg_replication_slots WHERE slot_name = $1',
      [helperObjectName(taskId)],
    );
    if (rows[0]?.active !== true) return;
    if (performance.now() > deadlineMs) {
      const detail = `the slot is still read ${CAPTURE_STOP_DEADLINE_MS / 1000} s after the order to pause`;
      throw new SluiceError('SLUICE-9001', { detail });
    }
    await delay(CAPTURE_STOP_POLL_MS, signal);
  }
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
