import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Client } from '@sluice/postgres-client';
import { expectSameRows, type TestDatabase, waitFor } from '@sluice/testing';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { type RunningTask, underTraffic } from '../../src/fault-scenario.js';
import { MIXED } from '../../src/mixed-schema.js';

const SCHEMA = `
CREATE SCHEMA running;
CREATE TABLE running.rows (id integer PRIMARY KEY, code integer UNIQUE, filler text);
CREATE TABLE running.others (id integer PRIMARY KEY, code integer UNIQUE, filler text);
CREATE TABLE running.keyless (n integer);
ALTER TABLE running.keyless REPLICA IDENTITY FULL;
`;
/** Some megabytes: several parts of what is written at once. */
const ROWS = 40_000;
const FILLER = `repeat('x', 100)`;

/** Nearly every transaction of more than a few rows is sent while it runs. */
const sendsSoon = (database: string): string => `ALTER DATABASE "${database}" SET logical_decoding_work_mem = '64kB'`;

let cluster: Cluster;
let source: TestDatabase;
let target: TestDatabase;
let taskId: string;
let seed = 0;

const traffic = (): Promise<RunningTask> => underTraffic({ cluster, taskId, source, target, seed: (seed += 1) });

beforeAll(async () => {
  cluster = await startCluster({
    env: { SLUICE_CAPTURE_WHOLE_MS: '2000', SLUICE_CAPTURE_COVERAGE_INTERVAL_MS: '1000' },
  });
  source = await cluster.sourceDatabase(MIXED + SCHEMA);
  await source.query(sendsSoon(source.name));
  target = await cluster.targetDatabase();
  taskId = await cluster.createAndStart({ source, target });
  await cluster.untilState(taskId, 'incremental');
  await untilCaughtUp(source, target);
});
afterAll(async () => cluster[Symbol.asyncDispose]());

/** A session of the source inside a transaction that the target is writing already. */
async function runningTransaction(table = 'running.rows', pair = { source, target }): Promise<Client> {
  await pair.source.query(`TRUNCATE ${table}`);
  await pair.source.query(`INSERT INTO ${table} VALUES (0, 0, 'stays')`);
  const client = await pair.source.connect();
  await client.query('BEGIN');
  await client.query(`INSERT INTO ${table} SELECT n, n, ${FILLER} FROM generate_series(1, ${ROWS}) AS n`);
  await untilWritten(table, pair.target);
  return client;
}

/** A session on the target has written, and not committed. */
async function untilWritten(table: string, at: TestDatabase): Promise<void> {
  const isWritten = async (): Promise<boolean> => {
    const rows = await at.query(
      `SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
       WHERE relation = $1::regclass AND mode = 'RowExclusiveLock' AND pg_stat_activity.state LIKE 'idle in transaction%'`,
      [table],
    );
    return rows.length > 0;
  };
  await waitFor(`a writer of ${table}`, isWritten, { intervalMs: 50 });
}

/** Capture has gone back to sending transactions while they run. */
async function untilRenewed(): Promise<void> {
  const isRenewed = (): boolean => {
    const log = cluster.logOf('capture');
    return log.lastIndexOf('are sent while they run again') >= log.lastIndexOf('are sent after their commit only');
  };
  await waitFor('capture to send running transactions', () => Promise.resolve(isRenewed()));
}

const countOf = async (table: string): Promise<number | undefined> =>
  (await target.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`))[0]?.n;

const timesWhole = (): number =>
  cluster.logOf('apply').split('running transactions are asked for again, after their commit').length - 1;

describe('a transaction that is sent while it runs', () => {
  it('is written before it commits, and seen at once then', async () => {
    await using task = await traffic();
    const wholeBefore = timesWhole();
    await using client = await runningTransaction();
    expect(await countOf('running.rows')).toBe(1);
    await client.query(`UPDATE running.rows SET code = -code WHERE id <= ${ROWS / 2}`);
    await client.query(`DELETE FROM running.rows WHERE id % 3 = 0`);
    await client.query(`UPDATE running.rows SET id = id + ${ROWS} WHERE id % 5 = 0`);
    await client.query('COMMIT');
    await task.expectEqual();
    expect(timesWhole()).toBe(wholeBefore);
  });

  it('leaves nothing when it is rolled back', async () => {
    await using task = await traffic();
    const wholeBefore = timesWhole();
    await using client = await runningTransaction();
    await client.query('ROLLBACK');
    await source.query(`INSERT INTO running.rows SELECT n, n, 'again' FROM generate_series(1, 10) AS n`);
    await task.expectEqual();
    expect(await countOf('running.rows')).toBe(11);
    expect(timesWhole()).toBe(wholeBefore);
  });

  it('keeps what its subtransactions did, but for those that were rolled back', async () => {
    await using task = await traffic();
    const wholeBefore = timesWhole();
    await using client = await runningTransaction();
    const update = (value: number): Promise<unknown> =>
      client.query(`UPDATE running.rows SET code = $1 * 1000000 + id WHERE id % 4 <> 0`, [value]);
    await client.query('SAVEPOINT a');
    await update(1);
    await client.query('SAVEPOINT b');
    await update(2);
    await client.query('ROLLBACK TO b');
    await client.query('SAVEPOINT c');
    await client.query('DELETE FROM running.rows WHERE id % 7 = 0');
    await client.query('RELEASE c');
    await client.query('SAVEPOINT d');
    await update(3);
    await client.query('SAVEPOINT e');
    await client.query(`UPDATE running.rows SET id = -id WHERE id % 2 = 0`);
    await client.query('ROLLBACK TO d');
    await client.query(`UPDATE running.rows SET filler = 'last' WHERE id % 5 = 0`);
    await client.query('COMMIT');
    await task.expectEqual();
    expect(timesWhole()).toBe(wholeBefore);
  });

  it('goes on beside another one, in the order of their commits', async () => {
    await using task = await traffic();
    const wholeBefore = timesWhole();
    await using first = await runningTransaction('running.rows');
    await using second = await runningTransaction('running.others');
    await first.query(`UPDATE running.rows SET code = code + 1000000`);
    await second.query(`UPDATE running.others SET code = code + 1000000`);
    await second.query(`INSERT INTO running.keyless SELECT n % 100 FROM generate_series(1, 20000) AS n`);
    await second.query('COMMIT');
    // Behind the second, which the first did not see until now.
    await first.query(`UPDATE running.others SET code = -code`);
    await first.query('COMMIT');
    await task.expectEqual();
    expect(timesWhole()).toBe(wholeBefore);
  });

  it.each(['apply', 'capture'])('comes again from its beginning when %s is killed meanwhile', async (service) => {
    await using task = await traffic();
    await using client = await runningTransaction();
    cluster.kill9(service);
    await client.query(`UPDATE running.rows SET code = -code`);
    await task.writers.untilMore(20);
    await client.query('COMMIT');
    await task.expectEqual();
  });

  it('comes again from its beginning when somebody ends its session on the target', async () => {
    await using task = await traffic();
    await using client = await runningTransaction();
    await target.query(
      `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'running.rows'::regclass AND mode = 'RowExclusiveLock'`,
    );
    await client.query(`UPDATE running.rows SET code = -code`);
    await task.writers.untilMore(20);
    await client.query('COMMIT');
    await task.expectEqual();
  });

  it.each(['apply-before-commit', 'apply-after-commit', 'apply-before-ack'])(
    'is applied once when apply is killed at %s',
    async (killPoint) => {
      await using client = await runningTransaction();
      await untilCaughtUp(source, target);
      await cluster.restart('apply', { SLUICE_KILL_POINT: killPoint });
      await client.query('COMMIT');
      await using task = await traffic();
      await task.expectEqual();
    },
  );
});

describe('what cannot be followed before the commit is asked for again, whole', () => {
  it('TRUNCATE', async () => {
    await using task = await traffic();
    await using client = await runningTransaction();
    await client.query('TRUNCATE running.others');
    await client.query(`INSERT INTO running.others SELECT n, n, ${FILLER} FROM generate_series(1, 5000) AS n`);
    await client.query('COMMIT');
    await task.expectEqual();
    expect(timesWhole()).toBeGreaterThan(0);
  });

  it('DDL', async () => {
    const pair = { source: await cluster.sourceDatabase(MIXED + SCHEMA), target: await cluster.targetDatabase() };
    await pair.source.query(sendsSoon(pair.source.name));
    const following = await cluster.createAndStart(pair, { incremental: { ddl: { enabled: true } } });
    await cluster.untilState(following, 'incremental');
    const wholeBefore = timesWhole();
    await using client = await runningTransaction('running.rows', pair);
    await client.query('ALTER TABLE running.rows ADD COLUMN more text');
    await client.query(`INSERT INTO running.rows SELECT -n, -n, '', 'more' FROM generate_series(1, 1000) AS n`);
    await client.query('CREATE TABLE running.joins AS SELECT * FROM running.rows');
    await client.query('COMMIT');
    await untilCaughtUp(pair.source, pair.target);
    const isJoined = async (): Promise<boolean> =>
      (await pair.target.query('SELECT FROM running.joins LIMIT 1').catch(() => [])).length > 0;
    await waitFor('the new table to have its rows', isJoined);
    await expectSameRows(pair.source, pair.target);
    expect(timesWhole()).toBe(wholeBefore + 1);
  });

  it('and others are sent while they run again after a time', async () => {
    await untilRenewed();
    const wholeBefore = timesWhole();
    await using task = await traffic();
    await using client = await runningTransaction();
    await client.query('COMMIT');
    await task.expectEqual();
    expect(timesWhole()).toBe(wholeBefore);
  });

  it('one that what has committed waits for, through somebody who waits for the table', async () => {
    await untilRenewed();
    const wholeBefore = timesWhole();
    await using task = await traffic();
    await using client = await runningTransaction();
    await using somebody = await target.connect();
    const locked = somebody.query('BEGIN; LOCK TABLE running.rows; COMMIT');
    await source.query(`INSERT INTO running.rows VALUES (-1, -1, 'committed')`);
    await locked;
    await waitFor('apply to say so', () => Promise.resolve(timesWhole() === wholeBefore + 1));
    await client.query('COMMIT');
    await task.expectEqual();
  });

  it('more of them than there are connections', async () => {
    await untilRenewed();
    const wholeBefore = timesWhole();
    await using task = await traffic();
    const clients = [await runningTransaction()];
    for (let count = 1; count < 4; count += 1) {
      const client = await source.connect();
      clients.push(client);
      await client.query('BEGIN');
      await client.query(`INSERT INTO running.keyless SELECT n FROM generate_series(1, 5000) AS n`);
    }
    for (const client of clients) await client.query('COMMIT');
    await task.expectEqual();
    expect(timesWhole()).toBe(wholeBefore + 1);
  });
});
