import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { helperObjectName } from '@sluice/contracts';
import { delay, isAbort } from '@sluice/kernel';
import { type Client } from '@sluice/postgres-client';
import { expectSameRows, killPointEnvironment, type TestDatabase, waitFor } from '@sluice/testing';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { helperObjects } from '../../src/helper-objects.js';
import { bulk, MIXED } from '../../src/mixed-schema.js';
import { structureOf } from '../../src/structure.js';
import { startWriters } from '../../src/writers.js';
import { EVERY_CLASS, FILLED, NESTED } from './statements.js';

const FOLLOWED = { incremental: { ddl: { enabled: true } } };

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(async () => cluster[Symbol.asyncDispose]());

interface Pair {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly taskId: string;
  readonly session: Client;
}

async function start(): Promise<Pair> {
  const source = await cluster.sourceDatabase(MIXED);
  const target = await cluster.targetDatabase();
  const taskId = await cluster.createAndStart({ source, target }, FOLLOWED);
  await cluster.untilState(taskId, 'incremental');
  return { source, target, taskId, session: await source.connect() };
}

async function run({ session }: Pair, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await session.query(statement);
}

/** As `untilCaughtUp`; a task that fails is not waited for. */
async function caughtUp({ source, target, taskId }: Pair): Promise<void> {
  const stop = new AbortController();
  const failure = (async (): Promise<void> => {
    for (;;) {
      const { state, error } = await cluster.api.getTask(taskId);
      if (state.endsWith('_failed')) throw new Error(`${state}: ${JSON.stringify(error, null, 1)}`);
      await delay(200, stop.signal);
    }
  })();
  const isAborted = failure.catch((error: unknown) => {
    if (!isAbort(error)) throw error;
  });
  try {
    await Promise.race([untilCaughtUp(source, target), isAborted]);
  } finally {
    stop.abort();
  }
}

/** All tables have joined, the target has what was committed, and both are the same. */
async function expectEqual(pair: Pair): Promise<void> {
  const { source, target, taskId } = pair;
  await caughtUp(pair);
  await waitFor('all tables to have joined', async () => {
    const { state, error } = await cluster.api.getTask(taskId);
    if (state.endsWith('_failed')) throw new Error(`${state}: ${JSON.stringify(error)}`);
    return (await target.query('SELECT FROM sluice.adoption')).length === 0;
  });
  await caughtUp(pair);
  await expectSameRows(source, target, { excludeSchemas: ['sluice', helperObjectName(taskId)] });
  expect(await structureOf(target)).toEqual(await structureOf(source));
}

describe('DDL is followed', () => {
  it('of every class, in functions and in strings of several statements, with rows between and other writers beside it', async () => {
    const pair = await start();
    await using writers = await startWriters(pair.source, 1);
    await writers.untilMore(20);
    await run(pair, EVERY_CLASS);
    await run(pair, NESTED);
    await run(pair, FILLED);
    await writers.untilMore(20);
    await writers.stop();
    await expectEqual(pair);
    // Matviews are refreshed by the same statement.
    await run(pair, ['REFRESH MATERIALIZED VIEW application.sums']);
    await caughtUp(pair);
    expect(await pair.target.query('SELECT * FROM application.sums ORDER BY 1')).toEqual(
      await pair.source.query('SELECT * FROM application.sums ORDER BY 1'),
    );
    const task = await cluster.api.getTask(pair.taskId);
    expect(task.progress.apply).toMatchObject({ ddl: expect.any(Number) });
    await cluster.api.act(pair.taskId, 'end');
    await cluster.untilState(pair.taskId, 'ended');
    expect(await helperObjects(pair.taskId, pair)).toEqual([]);
    expect(
      await pair.source.query('SELECT FROM pg_event_trigger UNION ALL SELECT FROM pg_namespace WHERE nspname = $1', [
        helperObjectName(pair.taskId),
      ]),
    ).toEqual([]);
  }, 240_000);

  it.each(['apply-before-commit', 'apply-after-commit', 'adoption-before-commit', 'adoption-after-commit'] as const)(
    'and nothing is done twice or lost when apply dies at %s',
    async (point) => {
      const pair = await start();
      await using writers = await startWriters(pair.source, 2);
      await run(pair, [
        'CREATE TABLE lookup (id int PRIMARY KEY, extra int)',
        'CREATE TABLE made_1 (id int PRIMARY KEY, v int)',
      ]);
      await run(pair, ['INSERT INTO lookup SELECT g, g FROM generate_series(1, 30) g']);
      const deaths = cluster.deaths('apply');
      await cluster.restart('apply', killPointEnvironment(point, 1));
      await run(pair, FILLED);
      await waitFor('apply to die', () => cluster.deaths('apply') > deaths);
      await run(pair, ['UPDATE copied SET extra = NULL WHERE id = 7', 'INSERT INTO selected SELECT * FROM copied']);
      await writers.stop();
      await expectEqual(pair);
    },
    180_000,
  );

  it('also from before the load is over', async () => {
    const source = await cluster.sourceDatabase(MIXED + bulk(4, 40_000));
    const target = await cluster.targetDatabase();
    const session = await source.connect();
    const taskId = await cluster.createAndStart({ source, target }, FOLLOWED);
    await cluster.untilState(taskId, 'full_load');
    const state = async (): Promise<string> => (await cluster.api.getTask(taskId)).state;
    let round = 0;
    for (; (await state()) === 'full_load'; round += 1) {
      await session.query(`CREATE TABLE early_${round} AS SELECT g AS id FROM generate_series(1, 50) g`);
      await session.query(`INSERT INTO early_${round} VALUES (${round})`);
      await session.query(`ALTER TABLE bulk.t1 ADD COLUMN c${round} int DEFAULT ${round}`);
      await session.query(`UPDATE bulk.t1 SET c${round} = -1 WHERE id % 100 = ${round % 100}`);
      await session.query(`CREATE INDEX ON bulk.t2 (n, id) WHERE n = ${round}`);
      // A snapshot that sees a table which is not published yet is made again: that needs a moment without new ones.
      await delay(150);
    }
    await cluster.untilState(taskId, 'incremental');
    expect(round).toBeGreaterThan(0);
    await expectEqual({ source, target, taskId, session });
  }, 180_000);

  it('while a table waits for a transaction of the source, and the changes of others do not', async () => {
    const pair = await start();
    const long = await pair.source.connect();
    await long.query('BEGIN; INSERT INTO line.earlier VALUES (-1)');
    await run(pair, ['CREATE TABLE waiting AS SELECT g AS id FROM generate_series(1, 100) g']);
    await caughtUp(pair);
    expect(await pair.target.query('SELECT table_name FROM sluice.adoption')).toEqual([{ table_name: 'waiting' }]);
    await run(pair, ['INSERT INTO waiting VALUES (101)', 'INSERT INTO line.earlier VALUES (-2)']);
    await caughtUp(pair);
    expect(await pair.target.query('SELECT FROM waiting')).toEqual([]);
    await long.query('COMMIT');
    await expectEqual(pair);
  }, 120_000);

  it('until a task that ends while tables are joining has them', async () => {
    const pair = await start();
    await run(pair, ["CREATE TABLE late AS SELECT g AS id, repeat('x', 100) AS v FROM generate_series(1, 20000) g"]);
    await cluster.api.act(pair.taskId, 'end');
    await cluster.untilState(pair.taskId, 'ended');
    await expectSameRows(pair.source, pair.target, { tables: ['public.late'] });
  }, 120_000);
});
