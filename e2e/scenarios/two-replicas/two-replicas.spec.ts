import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { expectSameRows } from '@sluice/testing';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { bulk, MIXED } from '../../src/mixed-schema.js';
import { watchBank, watchOrder } from '../../src/properties.js';
import { startWriters } from '../../src/writers.js';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ replicas: 2, env: { SLUICE_FULL_LOAD_CHUNK_MB: '1' } });
});
afterAll(async () => cluster[Symbol.asyncDispose]());

it('ends equal for two tasks when one replica of each service dies', async () => {
  await using stack = new AsyncDisposableStack();
  const tasks = [];
  for (const seed of [1, 2]) {
    const source = await cluster.sourceDatabase(MIXED + bulk(2, 5_000));
    const target = await cluster.targetDatabase();
    const writers = stack.use(await startWriters(source, seed));
    tasks.push({ source, target, writers, taskId: await cluster.createAndStart({ source, target }) });
  }
  for (const { taskId } of tasks) await cluster.untilState(taskId, 'full_load');
  cluster.kill9('full-load');
  cluster.kill9('snapshot-holder-2');
  for (const { taskId } of tasks) await cluster.untilState(taskId, 'incremental');
  const watches = [];
  for (const sides of tasks) {
    await untilCaughtUp(sides.source, sides.target);
    watches.push(stack.use(await watchBank(sides)), stack.use(await watchOrder(sides)));
  }
  // The replica that has the runs is not known: first the one dies, then, when the other has all, that one.
  for (const replica of ['', '-2']) {
    for (const service of ['capture', 'apply']) cluster.kill9(`${service}${replica}`);
    for (const { source, target, writers } of tasks) {
      await writers.untilMore(100);
      await untilCaughtUp(source, target);
    }
  }
  for (const { source, target, writers } of tasks) {
    expect(await writers.stop()).toBeGreaterThan(200);
    await untilCaughtUp(source, target);
    await expectSameRows(source, target);
  }
  for (const watch of watches) {
    expect(await watch.stop()).toEqual([]);
    expect(watch.samples()).toBeGreaterThan(20);
  }
  for (const { taskId } of tasks) {
    await cluster.api.act(taskId, 'end');
    await cluster.untilState(taskId, 'ended');
  }
});
