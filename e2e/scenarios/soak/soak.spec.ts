import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Client } from '@sluice/postgres-client';
import { seededRandom, type TestDatabase, waitFor } from '@sluice/testing';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { underTraffic } from '../../src/fault-scenario.js';
import { MIXED } from '../../src/mixed-schema.js';
import { isServerGone } from '../../src/server-gone.js';

/** `npm run soak -- --minutes N --seed S`; one round without. */
const MINUTES = Number(process.env['SLUICE_SOAK_MINUTES'] ?? 0);
const SEED = Number(process.env['SLUICE_E2E_SEED'] ?? Date.now() % 100_000);
/** Faults between two comparisons of all rows. */
const FAULTS_PER_ROUND = 4;
const TRANSACTIONS_BETWEEN_FAULTS_MAX = 80;
/** Of a statement. */
const ROWS_MAX = 4_000;
const ROUND_DEADLINE_MS = 10 * 60_000;

const SCHEMA = `
CREATE SCHEMA soak;
CREATE TABLE soak.large (id bigint PRIMARY KEY, code integer, filler text);
CREATE TABLE soak.keyless (n integer, filler text);
ALTER TABLE soak.keyless REPLICA IDENTITY FULL;
`;

type Random = () => number;
const below = (random: Random, bound: number): number => Math.floor(random() * bound);

let cluster: Cluster;
let source: TestDatabase;
let target: TestDatabase;
let taskId: string;
/** Keys move to where none was before. */
let moveCount = 0;

beforeAll(async () => {
  cluster = await startCluster({
    env: { SLUICE_CAPTURE_WHOLE_MS: '500', SLUICE_CAPTURE_COVERAGE_INTERVAL_MS: '500' },
  });
  source = await cluster.sourceDatabase(MIXED + SCHEMA);
  // Most transactions of more than a few rows are sent while they run.
  await source.query(`ALTER DATABASE "${source.name}" SET logical_decoding_work_mem = '64kB'`);
  target = await cluster.targetDatabase();
  taskId = await cluster.createAndStart({ source, target }, { incremental: { ddl: { enabled: true } } });
  await cluster.untilState(taskId, 'incremental');
  await untilCaughtUp(source, target);
});
afterAll(async () => cluster[Symbol.asyncDispose]());

const FAULTS: readonly (() => Promise<unknown>)[] = [
  async () => cluster.kill9('apply'),
  async () => cluster.kill9('capture'),
  async () => cluster.kill9('task-management'),
  async () => {
    await cluster.nats.kill9();
    await cluster.nats.restart();
  },
  () => source.query('SELECT pg_terminate_backend(pid) FROM pg_stat_replication'),
  () =>
    target.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name LIKE 'sluice apply%' AND random() < 0.5`,
    ),
  async () => {
    await cluster.api.act(taskId, 'pause');
    await cluster.untilState(taskId, 'paused');
    await cluster.api.act(taskId, 'resume');
  },
];

it(
  `stays equal through faults, large transactions and DDL, ${MINUTES} minutes (SLUICE_E2E_SEED=${SEED})`,
  async () => {
    process.stderr.write(`soak: SLUICE_E2E_SEED=${SEED}\n`);
    const endsAt = Date.now() + MINUTES * 60_000;
    let roundCount = 0;
    do {
      await runRound(SEED + roundCount);
      roundCount += 1;
    } while (Date.now() < endsAt);
    process.stderr.write(`soak: ${roundCount} rounds, equal after each\n`);
    expect(roundCount).toBeGreaterThan(0);
  },
  MINUTES * 60_000 + ROUND_DEADLINE_MS,
);

/** The same seed makes the same writes and the same order of faults. */
async function runRound(seed: number): Promise<void> {
  const random = seededRandom(seed);
  await using task = await underTraffic({ cluster, taskId, source, target, seed });
  const stopping = new AbortController();
  const large = writeLarge(seededRandom(seed + 1), stopping.signal);
  try {
    for (let count = 0; count < FAULTS_PER_ROUND; count += 1) {
      await task.writers.untilMore(1 + below(random, TRANSACTIONS_BETWEEN_FAULTS_MAX));
      await FAULTS[below(random, FAULTS.length)]?.();
    }
  } finally {
    stopping.abort();
    await large;
  }
  await untilJoined();
  await task.expectEqual();
}

/** New tables have their rows. */
async function untilJoined(): Promise<void> {
  await untilCaughtUp(source, target);
  const isJoined = async (): Promise<boolean> => (await target.query('SELECT FROM sluice.adoption')).length === 0;
  await waitFor('new tables to join', isJoined);
}

/** Transactions large enough to be sent while they run, with all that can become of them. */
async function writeLarge(random: Random, signal: AbortSignal): Promise<void> {
  await using client = await source.connect();
  while (!signal.aborted) {
    try {
      await writeOne(client, random);
    } catch (error) {
      if (!isServerGone(error)) throw error;
      return;
    }
  }
}

async function writeOne(client: Client, random: Random): Promise<void> {
  const rows = 200 + below(random, ROWS_MAX - 200);
  await client.query('BEGIN');
  const steps = 1 + below(random, 6);
  for (let step = 0; step < steps; step += 1) await client.query(statementOf(random, rows));
  await client.query(random() < 0.2 ? 'ROLLBACK' : 'COMMIT');
}

function statementOf(random: Random, rows: number): string {
  const statements = [
    `INSERT INTO soak.large (id, code, filler) SELECT n, n, repeat('x', 40) FROM generate_series(1, ${rows}) AS n ON CONFLICT DO NOTHING`,
    `UPDATE soak.large SET code = code + 1, filler = filler || 'y' WHERE id % 3 = 0`,
    `UPDATE soak.large SET id = id + ${(moveCount += 1) * ROWS_MAX} WHERE id < ${ROWS_MAX} AND id % 7 = ${below(random, 7)}`,
    `DELETE FROM soak.large WHERE id % 5 = ${below(random, 5)}`,
    `INSERT INTO soak.keyless (n, filler) SELECT n % 20, 'k' FROM generate_series(1, ${rows}) AS n`,
    `DELETE FROM soak.keyless WHERE n < ${below(random, 20)}`,
    `SAVEPOINT s; UPDATE soak.large SET code = -code; ROLLBACK TO s; UPDATE soak.large SET code = code WHERE id < ${rows}`,
    `SAVEPOINT s; INSERT INTO soak.keyless (n) SELECT 7 FROM generate_series(1, ${rows}); RELEASE s`,
  ];
  const rare = [
    'TRUNCATE soak.keyless',
    `ALTER TABLE soak.keyless ADD COLUMN IF NOT EXISTS added integer DEFAULT ${below(random, 100)}`,
    'ALTER TABLE soak.keyless DROP COLUMN IF EXISTS added',
    'DROP TABLE IF EXISTS soak.made; CREATE TABLE soak.made AS SELECT id, code FROM soak.large',
  ];
  const list = random() < 0.08 ? rare : statements;
  return list[below(random, list.length)] ?? '';
}
