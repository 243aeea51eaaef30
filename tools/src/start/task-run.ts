import { type TaskResource } from '@sluice/contracts';
import { isAbort } from '@sluice/kernel';
import { parseLsn } from '@sluice/model';
import { connect, type Endpoint } from '@sluice/postgres-client';
import { type Traffic } from '../sample/traffic/traffic.js';
import { type ApiClient } from './api-client.js';
import { type Databases } from './arguments.js';
import { type DataDirectory } from './data-directory.js';
import { type Display } from './display.js';
import { type TaskFollower } from './follow-task.js';
import { type Before, findLeftovers } from './leftovers.js';
import { summaryLines, verdictLines } from './summary.js';
import { EXIT, type ExitCode } from './usage.js';
import { compareAt, endAndVerify } from './verify.js';

export interface TaskRun {
  readonly taskId: string;
  readonly api: ApiClient;
  readonly display: Display;
  readonly databases: Databases;
  readonly before: Before;
  readonly follower: TaskFollower;
  readonly signal: AbortSignal;
}

/** Load, catch up, stay incremental for a while, end at an exact place, compare, look for leftovers. */
export async function loadAndFinish(run: TaskRun, task: TaskResource, incrementalSeconds: number): Promise<ExitCode> {
  const { taskId, display, databases, follower, signal } = run;
  const startedAtMs = performance.now();
  await bringToIncremental(run, task);
  const incrementalAtMs = performance.now();
  await catchUp(run);
  const untilMs = performance.now() + incrementalSeconds * 1000;
  await follower.until(taskId, () => performance.now() >= untilMs, signal);
  const { report, endMs, compareMs } = await endAndVerify(taskId, run);
  const incrementalMs = performance.now() - incrementalAtMs - compareMs;
  const leftovers = await findLeftovers(databases, taskId, run.before);
  const lines = summaryLines({
    report,
    fullLoad: follower.fullLoad,
    loadMs: incrementalAtMs - startedAtMs,
    incrementalMs,
    ...follower.applied,
    endMs,
    compareMs,
    leftovers,
  });
  lines.forEach((line) => display.line(line));
  return report.equal && leftovers.length === 0 ? EXIT.success : EXIT.failed;
}

export interface Console {
  readonly apiUrl: string;
  readonly adminKey: string;
  readonly directory: DataDirectory;
  /** `null` on a person's own databases. */
  readonly traffic: Traffic | null;
}

/** Keeps the task incremental until Ctrl-C. */
export async function stayIncremental(run: TaskRun, task: TaskResource, console: Console): Promise<ExitCode> {
  const { taskId, display, follower, signal } = run;
  await bringToIncremental(run, task);
  await catchUp(run);
  if (console.traffic) await verifyInPause(run, console.traffic);
  display.line(`API        ${console.apiUrl}/api/v1`);
  display.line(`Admin key  ${console.adminKey}   (Authorization: Bearer …)`);
  display.line(
    console.directory.isKept
      ? 'Ctrl-C stops everything here; the same command goes on from there'
      : `Ctrl-C ends ${console.traffic ? 'everything' : 'the task and everything here'}`,
  );
  try {
    await follower.until(taskId, ({ state }) => state === 'ended' || state === 'completed', signal);
    display.line('The task is over');
  } catch (error) {
    if (!isAbort(error)) throw error;
  }
  return EXIT.success;
}

/** The sample's writes are ours: without them for a moment, both sides must become equal. */
async function verifyInPause(run: TaskRun, traffic: Traffic): Promise<void> {
  await traffic.pause();
  try {
    await catchUp(run);
    const report = await compareAt(undefined, run);
    verdictLines(report).forEach((line) => run.display.line(line));
  } finally {
    traffic.resume();
  }
}

async function bringToIncremental({ taskId, api, follower, signal }: TaskRun, task: TaskResource): Promise<void> {
  if (task.state === 'configuring' || task.state === 'start_failed') await api.act(taskId, 'start');
  else if (task.state === 'paused') await api.act(taskId, 'resume');
  else if (task.state.endsWith('_failed')) await api.act(taskId, 'retry');
  // The failure of an earlier attempt may be seen until the order has been carried out.
  await follower.until(taskId, ({ state }) => state === 'incremental', signal);
}

/** Waits until the target has all that the source had written when this was called. */
async function catchUp({ taskId, databases, follower, signal }: TaskRun): Promise<void> {
  const wanted = parseLsn(await currentWalLsn(databases.source));
  await follower.until(
    taskId,
    ({ progress: { apply } }) => apply?.kind === 'apply' && parseLsn(apply.appliedLsn) >= wanted,
    signal,
  );
}

async function currentWalLsn(source: Endpoint): Promise<string> {
  await using client = await connect(source, { applicationName: 'start' });
  const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn');
  return rows[0]?.lsn ?? '0/0';
}
