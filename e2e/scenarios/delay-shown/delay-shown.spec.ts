import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type TaskDelay, type TaskResource } from '@sluice/contracts';
import { expectSameRows, type TestDatabase, waitFor } from '@sluice/testing';
import { type Cluster, startCluster } from '../../src/cluster.js';

const SCHEMA = 'CREATE TABLE t (id serial PRIMARY KEY, v text); CREATE SEQUENCE apart INCREMENT -3';
/** Longer than what can pass for slowness. */
const GROWN_MS = 5_000;

let cluster: Cluster;
let source: TestDatabase;
let target: TestDatabase;
let taskId: string;

beforeAll(async () => {
  cluster = await startCluster();
  source = await cluster.sourceDatabase(SCHEMA);
  target = await cluster.targetDatabase();
  const incremental = { sequenceIntervalMs: 500 };
  taskId = await cluster.createAndStart({ source, target }, { incremental });
  await cluster.untilState(taskId, 'incremental');
});
afterAll(async () => cluster[Symbol.asyncDispose]());

function untilDelay(what: string, holds: (delay: TaskDelay, task: TaskResource) => boolean): Promise<TaskDelay> {
  return waitFor(
    `a delay that ${what}`,
    async () => {
      const task = await cluster.api.getTask(taskId);
      return task.delay && holds(task.delay, task) ? task.delay : undefined;
    },
    { intervalMs: 200 },
  );
}

const insert = (): Promise<unknown> => source.query("INSERT INTO t (v) VALUES ('a')");
const isNone = ({ totalMs }: TaskDelay): boolean => totalMs === 0;

describe('the delay of a task', () => {
  it('is 0 while the source is idle, and what a transaction takes while there are some', async () => {
    await untilDelay('is none', isNone);
    const delay = await waitFor('a measured delay', async () => {
      await insert();
      const shown = (await cluster.api.getTask(taskId)).delay;
      return shown && shown.totalMs > 0 ? shown : undefined;
    });
    expect(delay.totalMs).toBe(delay.captureMs + delay.transportMs + delay.applyMs);
    expect(delay.totalMs).toBeLessThan(GROWN_MS);
    await untilDelay('is none again', isNone);
  });

  it('grows as that of apply while the target is held up', async () => {
    const holder = await target.connect();
    await holder.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
    await insert();
    const grown = await untilDelay('has grown', ({ totalMs }) => totalMs >= GROWN_MS);
    expect(grown.applyMs).toBeGreaterThan(grown.totalMs / 2);
    const metrics = await (await fetch(`${cluster.apiUrl}/metrics`)).text();
    expect(metrics).toMatch(new RegExp(`^sluice_task_delay_seconds\\{task_id="${taskId}",part="apply"\\} [1-9]`, 'm'));
    await holder.query('ROLLBACK');
    await untilDelay('is none', isNone);
  });

  it('grows as that of capture while nothing is heard of it, pending or not', async () => {
    const goOn = cluster.freeze('capture');
    const grown = await untilDelay('has grown', ({ totalMs }) => totalMs >= GROWN_MS);
    expect(grown.captureMs).toBeGreaterThan(grown.totalMs / 2);
    goOn();
    await insert();
    await untilDelay('is none', isNone);
  });

  it('comes with what the source keeps', async () => {
    await untilDelay('knows the slot', ({ retainedBytes, walBytes }) => retainedBytes !== null && walBytes !== null);
    await waitFor('equal rows', () =>
      expectSameRows(source, target).then(
        () => true,
        () => false,
      ),
    );
  });
});

describe('sequences', () => {
  it('follow during the run, forwards and backwards', async () => {
    const at = async (database: TestDatabase): Promise<unknown> =>
      database.query('SELECT a.last_value AS apart, s.last_value AS serial FROM apart a, t_id_seq s');
    const follow = (): Promise<unknown> =>
      waitFor('the sequences to be equal', async () => {
        const [wanted, there] = [await at(source), await at(target)];
        return JSON.stringify(wanted) === JSON.stringify(there);
      });
    await source.query("SELECT nextval('apart') FROM generate_series(1, 5)");
    await follow();
    await source.query("TRUNCATE t RESTART IDENTITY; SELECT setval('apart', -1000)");
    await follow();
  });
});
