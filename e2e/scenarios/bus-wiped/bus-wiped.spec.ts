import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { expectSameRows, type TestDatabase } from '@sluice/testing';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { MIXED } from '../../src/mixed-schema.js';
import { auditConfirmations, watchBank, watchOrder } from '../../src/properties.js';
import { startWriters } from '../../src/writers.js';

let cluster: Cluster;
let source: TestDatabase;
let target: TestDatabase;
let taskId: string;

beforeAll(async () => {
  cluster = await startCluster();
  source = await cluster.sourceDatabase(MIXED);
  target = await cluster.targetDatabase();
  taskId = await cluster.createAndStart({ source, target });
  await cluster.untilState(taskId, 'incremental');
  await untilCaughtUp(source, target);
});
afterAll(async () => cluster[Symbol.asyncDispose]());

it.each([
  { what: 'restarted with its data', wipe: false },
  { what: 'wiped', wipe: true },
])('heals by itself when the bus is $what', async ({ wipe }) => {
  await using writers = await startWriters(source, wipe ? 1 : 2);
  await using audit = await auditConfirmations({ source, target }, taskId);
  await using bank = await watchBank({ source, target });
  await using order = await watchOrder({ source, target });
  await writers.untilMore(50);
  await cluster.nats.kill9();
  await writers.untilMore(100);
  await cluster.nats.restart({ wipe });
  await writers.untilMore(100);
  expect(await writers.stop()).toBeGreaterThan(250);
  await untilCaughtUp(source, target);
  await expectSameRows(source, target);
  expect((await cluster.api.getTask(taskId)).state).toBe('incremental');
  for (const watch of [audit, bank, order]) {
    expect(await watch.stop()).toEqual([]);
    expect(watch.samples()).toBeGreaterThan(10);
  }
});
