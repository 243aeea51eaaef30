import { type PostgresMajor } from '@sluice/embedded';
import { quoteIdentifier } from '@sluice/postgres-client';
import { findDifferences, testDatabase, type TestDatabase, testServer, waitFor } from '@sluice/testing';
import { type Cluster } from '../src/cluster.js';
import { oddSettings } from './cases/settings.js';
import { type ConformanceCase } from './conformance-case.js';
import { runTraffic, setUpCase } from './run-case.js';

const CATCH_UP_DEADLINE_MS = 600_000;
/** Cases that run beside each other, so that their transactions lie between each other in the WAL. */
const LANES = 3;

export interface PairOptions {
  readonly sourceMajor: PostgresMajor;
  readonly targetMajor: PostgresMajor;
  readonly cases: readonly ConformanceCase[];
  /** The source sends every transaction while it runs, change by change. PostgreSQL 16 or newer. */
  readonly isStreamed?: boolean;
  /** Default: UTF8 on both sides. */
  readonly encodings?: { readonly source: string; readonly target: string };
  /** DDL is followed, and databases keep the settings of their server. */
  readonly followsDdl?: boolean;
}

/** @returns by case: what differs after one task has loaded all cases and then applied the traffic of all. */
export async function runPair(cluster: Cluster, options: PairOptions): Promise<ReadonlyMap<ConformanceCase, string[]>> {
  const { cases, encodings, followsDdl = false } = options;
  await using source = await openDatabase(options.sourceMajor, 'source', encodings?.source);
  await using target = await openDatabase(options.targetMajor, 'target', encodings?.target);
  if (options.isStreamed) await source.query(streamAtOnce(source.name));
  await using session = await source.connect();
  for (const testCase of cases) await setUpCase(session, testCase);
  if (!followsDdl) {
    await source.query(oddSettings(source.name, 'source'));
    await target.query(oddSettings(target.name, 'target'));
  }
  const incremental = { ddl: { enabled: followsDdl } };
  const taskId = await cluster.createAndStart({ source, target }, { incremental });
  await cluster.untilState(taskId, 'incremental');
  await runInLanes(
    source,
    cases.filter(({ isLast = false }) => !isLast),
  );
  for (const last of cases.filter(({ isLast = false }) => isLast)) await runTraffic(source, last);
  await untilApplied(cluster, { taskId, source, target });
  const differences = await findDifferences(source, target);
  const ofCase = ({ name, schemas = [] }: ConformanceCase): string[] =>
    differences.filter(({ schema }) => schema === name || schemas.includes(schema)).flatMap(({ lines }) => lines);
  await cluster.api.act(taskId, 'end');
  await cluster.untilState(taskId, 'ended');
  return new Map(cases.map((testCase) => [testCase, ofCase(testCase)]));
}

/** https://www.postgresql.org/docs/current/runtime-config-developer.html#GUC-DEBUG-LOGICAL-REPLICATION-STREAMING */
function streamAtOnce(database: string): string {
  return `ALTER DATABASE ${quoteIdentifier(database)} SET debug_logical_replication_streaming = immediate`;
}

async function openDatabase(major: PostgresMajor, role: string, encoding = 'UTF8'): Promise<TestDatabase> {
  const settings = { cluster_name: role, max_prepared_transactions: '10' };
  return testDatabase({ server: await testServer({ major, settings }), encoding });
}

async function runInLanes(source: TestDatabase, cases: readonly ConformanceCase[]): Promise<void> {
  const waiting = cases.values();
  const run = async (): Promise<void> => {
    for (const testCase of waiting) await runTraffic(source, testCase);
  };
  await Promise.all(Array.from({ length: LANES }, run));
}

interface RunningTask {
  readonly taskId: string;
  readonly source: TestDatabase;
  readonly target: TestDatabase;
}

/** Resolves when the checkpoint has passed what is in the source's WAL now. @throws with the error of the task, which names the case by its schema. */
async function untilApplied(cluster: Cluster, { taskId, source, target }: RunningTask): Promise<void> {
  const [end] = await source.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  const isThere = async (): Promise<boolean> => {
    const { state, error } = await cluster.api.getTask(taskId);
    if (state !== 'incremental') throw new Error(`the task is ${state}: ${JSON.stringify(error)}`);
    const rows = await target.query('SELECT FROM sluice.checkpoint WHERE task_id = $1 AND lsn >= $2', [
      taskId,
      end?.lsn,
    ]);
    return rows.length === 1;
  };
  await waitFor('the target to have applied everything', isThere, {
    deadlineMs: CATCH_UP_DEADLINE_MS,
    intervalMs: 100,
  });
}
