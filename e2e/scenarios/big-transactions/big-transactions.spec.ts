import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type TestDatabase, waitFor } from '@sluice/testing';
import { spawnSync } from 'node:child_process';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { type RunningTask, underTraffic } from '../../src/fault-scenario.js';
import { MIXED } from '../../src/mixed-schema.js';

const BIG = `
CREATE SCHEMA big;
CREATE TABLE big.rows (id bigint PRIMARY KEY, filler text);
CREATE TABLE big.nested (id integer PRIMARY KEY);
CREATE TABLE big.cells (id integer PRIMARY KEY, content bytea);
ALTER TABLE big.cells ALTER content SET STORAGE EXTERNAL;
`;
const MEBIBYTE = 1024 * 1024;
const ROWS = 600_000;
const ROW_BYTES = 1_000;
const RSS_MAX_BYTES = 256 * MEBIBYTE;
const SUBTRANSACTIONS = 100_000;
/** As text on its way it has twice as many characters. */
const CELL_BYTES = 100 * MEBIBYTE;

let cluster: Cluster;
let source: TestDatabase;
let target: TestDatabase;
let taskId: string;
let seed = 0;

const traffic = (): Promise<RunningTask> => underTraffic({ cluster, taskId, source, target, seed: (seed += 1) });

beforeAll(async () => {
  cluster = await startCluster();
  source = await cluster.sourceDatabase(MIXED + BIG);
  target = await cluster.targetDatabase();
  taskId = await cluster.createAndStart({ source, target });
  await cluster.untilState(taskId, 'incremental');
  await untilCaughtUp(source, target);
});
afterAll(async () => cluster[Symbol.asyncDispose]());

describe('arrives whole', () => {
  it(`a transaction of ${(ROWS * ROW_BYTES) / 1e6} MB, while no service holds more than 256 MiB`, async () => {
    await using task = await traffic();
    await using memory = watchMemory(['capture', 'apply']);
    await source.query(
      `INSERT INTO big.rows SELECT n, repeat(md5(n::text), ${Math.ceil(ROW_BYTES / 32)})
         FROM generate_series(1, ${ROWS}) AS n`,
    );
    await untilCount('big.rows', ROWS);
    expect(memory.samples()).toBeGreaterThan(20);
    expect(memory.highestBytes()).toBeLessThan(RSS_MAX_BYTES);
    await task.expectEqual();
  });

  it(`a transaction of ${SUBTRANSACTIONS} sub-transactions, half of them rolled back`, async () => {
    await using task = await traffic();
    await source.query(
      `DO $$ BEGIN
         FOR n IN 1..${SUBTRANSACTIONS} LOOP
           BEGIN
             INSERT INTO big.nested VALUES (n);
             IF n % 2 = 0 THEN RAISE division_by_zero; END IF;
           EXCEPTION WHEN division_by_zero THEN NULL;
           END;
         END LOOP;
       END $$`,
    );
    await untilCount('big.nested', SUBTRANSACTIONS / 2);
    await task.expectEqual();
  });

  it(`a row of ${CELL_BYTES / MEBIBYTE} MiB`, async () => {
    await using task = await traffic();
    await source.query(`INSERT INTO big.cells SELECT 1, decode(repeat(md5('a'), ${CELL_BYTES / 16}), 'hex')`);
    await untilCount('big.cells', 1);
    await source.query('UPDATE big.cells SET id = 2');
    await task.expectEqual();
  });
});

async function untilCount(table: string, count: number): Promise<void> {
  const read = async (): Promise<boolean> => {
    const [row] = await target.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
    return row?.n === count;
  };
  await waitFor(`${count} rows of ${table}`, read, { intervalMs: 200 });
}

interface MemoryWatch extends AsyncDisposable {
  samples(): number;
  highestBytes(): number;
}

const SAMPLE_INTERVAL_MS = 100;

/** Asks the system what services hold. `ps` says it everywhere. */
function watchMemory(services: readonly string[]): MemoryWatch {
  let sampleCount = 0;
  let highest = 0;
  const timer = setInterval(() => {
    const pids = services.map((service) => cluster.pidOf(service)).filter((pid) => pid !== undefined);
    const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', pids.join(',')], { encoding: 'utf8' });
    sampleCount += 1;
    highest = Math.max(
      highest,
      ...stdout
        .trim()
        .split('\n')
        .map((kibibytes) => Number(kibibytes) * 1024),
    );
  }, SAMPLE_INTERVAL_MS);
  return {
    samples: () => sampleCount,
    highestBytes: () => highest,
    [Symbol.asyncDispose]: () => {
      clearInterval(timer);
      return Promise.resolve();
    },
  };
}
