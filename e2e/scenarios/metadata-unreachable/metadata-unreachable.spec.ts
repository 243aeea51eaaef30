import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type PostgresServer } from '@sluice/embedded';
import { dedicatedServer, type TestDatabase, waitFor } from '@sluice/testing';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { underTraffic } from '../../src/fault-scenario.js';
import { MIXED } from '../../src/mixed-schema.js';

let cluster: Cluster;
let metadataServer: PostgresServer;
let source: TestDatabase;
let target: TestDatabase;
let taskId: string;

beforeAll(async () => {
  metadataServer = await dedicatedServer();
  cluster = await startCluster({ metadataServer });
  source = await cluster.sourceDatabase(MIXED);
  target = await cluster.targetDatabase();
  taskId = await cluster.createAndStart({ source, target });
  await cluster.untilState(taskId, 'incremental');
  await untilCaughtUp(source, target);
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await metadataServer[Symbol.asyncDispose]();
});

it('goes on with tasks that run while the metadata database is away, and takes them over again afterwards', async () => {
  await using task = await underTraffic({ cluster, taskId, source, target, seed: 1 });
  await metadataServer.restart({ mode: 'immediate' });
  await task.writers.untilMore(50);

  await metadataServer.stop('fast');
  expect(await isApiReady()).toBe(false);
  await task.writers.untilMore(50);
  // Nothing of the data path needs task management, not even when the bus restarts.
  await untilCaughtUp(source, target);
  await cluster.nats.kill9();
  await cluster.nats.restart();
  await task.writers.untilMore(50);

  // A worker that begins anew has nobody to ask for the password; it waits, and nothing fails.
  const startsBefore = startsOfApply();
  cluster.kill9('apply');
  await waitFor('apply to be back', () => startsOfApply() > startsBefore);
  await task.writers.untilMore(100);
  await metadataServer.restart();
  await waitFor('the API to be ready again', isApiReady);
  await task.expectEqual();
  await cluster.api.act(taskId, 'end');
  await cluster.untilState(taskId, 'ended');
});

async function isApiReady(): Promise<boolean> {
  const response = await fetch(`${cluster.apiUrl}/health/ready`).catch(() => null);
  await response?.body?.cancel();
  return response?.ok ?? false;
}

function startsOfApply(): number {
  return cluster.logOf('apply').split('apply is ready').length - 1;
}
