import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TaskId, taskChanges } from '@sluice/contracts';
import { expectSameRows, type TestDatabase, waitFor } from '@sluice/testing';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { type RunningTask, underTraffic } from '../../src/fault-scenario.js';
import { helperObjects } from '../../src/helper-objects.js';
import { MIXED } from '../../src/mixed-schema.js';

const ALL = ['capture', 'apply', 'full-load', 'task-management'];

let cluster: Cluster;
let source: TestDatabase;
let target: TestDatabase;
let taskId: string;
let seed = 0;

const traffic = (): Promise<RunningTask> => underTraffic({ cluster, taskId, source, target, seed: (seed += 1) });

beforeAll(async () => {
  cluster = await startCluster({ hasBusProxy: true });
  source = await cluster.sourceDatabase(MIXED);
  target = await cluster.targetDatabase();
  taskId = await cluster.createAndStart({ source, target });
  await cluster.untilState(taskId, 'incremental');
  await untilCaughtUp(source, target);
});
afterAll(async () => cluster[Symbol.asyncDispose]());

describe('a task ends equal when services are killed', () => {
  it('capture between a publish and its ack', async () => {
    await using task = await traffic();
    const ack = `{"stream":"${taskChanges.streamName({ taskId: TaskId.parse(taskId) })}"`;
    for (let round = 0; round < 3; round += 1) {
      const before = cluster.deaths('capture');
      // The batch is stored, and the one who sent it does not live to hear of it.
      await cluster.busProxy.cutOn(ack);
      cluster.kill9('capture');
      await waitFor('capture to die', () => cluster.deaths('capture') > before);
      await task.writers.untilMore(50);
    }
    await task.expectEqual();
  });

  it('all of them while it is paused', async () => {
    await using task = await traffic();
    await cluster.api.act(taskId, 'pause');
    await cluster.untilState(taskId, 'paused');
    await killAll();
    await task.writers.untilMore(50);
    await cluster.api.act(taskId, 'resume');
    await task.expectEqual();
  });

  it('all of them while it is ending', async () => {
    const task = await traffic();
    const holder = await target.connect();
    await holder.query('BEGIN; LOCK TABLE line.earlier IN EXCLUSIVE MODE');
    await task.writers.untilMore(50);
    await task.writers.stop();
    await task[Symbol.asyncDispose]();
    await cluster.api.act(taskId, 'end');
    expect((await cluster.api.getTask(taskId)).state).toBe('ending');
    await killAll();
    expect((await cluster.api.getTask(taskId)).state).toBe('ending');
    await holder.query('COMMIT');
    await cluster.untilState(taskId, 'ended');
    await expectSameRows(source, target);
    expect(await helperObjects(taskId, { source, target })).toEqual([]);
  });
});

async function killAll(): Promise<void> {
  const before = new Map(ALL.map((service) => [service, cluster.deaths(service)]));
  for (const service of ALL) cluster.kill9(service);
  for (const service of ALL) {
    await waitFor(`${service} to die`, () => cluster.deaths(service) > (before.get(service) ?? 0));
  }
}
