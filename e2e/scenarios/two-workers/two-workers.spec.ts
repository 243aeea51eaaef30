import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { RUNS_STREAM, stageRuns, TaskId } from '@sluice/contracts';
import { type TestDatabase, waitFor } from '@sluice/testing';
import { tapBus } from '../../src/bus-tap.js';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { type RunningTask, underTraffic } from '../../src/fault-scenario.js';
import { MIXED } from '../../src/mixed-schema.js';

const STAGES = ['capture', 'apply'] as const;
type Stage = (typeof STAGES)[number];

let cluster: Cluster;
let source: TestDatabase;
let target: TestDatabase;
let taskId: string;
let seed = 0;

const traffic = (): Promise<RunningTask> => underTraffic({ cluster, taskId, source, target, seed: (seed += 1) });

beforeAll(async () => {
  cluster = await startCluster({ replicas: 2 });
  source = await cluster.sourceDatabase(MIXED);
  target = await cluster.targetDatabase();
  taskId = await cluster.createAndStart({ source, target });
  await cluster.untilState(taskId, 'incremental');
  await untilCaughtUp(source, target);
});
afterAll(async () => cluster[Symbol.asyncDispose]());

describe.each(STAGES)('%s has one writer', (stage) => {
  it('when a worker wakes up that was frozen until another one had its run', async () => {
    await using task = await traffic();
    const owner = ownerOf(stage);
    const thaw = cluster.freeze(owner);
    try {
      await waitFor(`another ${stage} to have the run`, () => beginningsOf(stage, otherOf(stage, owner)) > 0);
      await untilCaughtUp(source, target);
    } finally {
      thaw();
    }
    // It goes on where it stood, believing that the run is its own, and is told otherwise.
    await waitFor('the frozen one to notice', () => cluster.logOf(owner).includes('run lost'));
    await task.expectEqual();
  });

  it('when its run is handed out twice, so that two workers own it at the same time', async () => {
    await using task = await traffic();
    await using tap = await tapBus(cluster.nats);
    const run = await tap.newest(RUNS_STREAM.name, stageRuns.format({ stage, taskId: TaskId.parse(taskId) }));
    if (!run) throw new Error('the task has no run');
    const before = beginningsOf(stage, stage) + beginningsOf(stage, `${stage}-2`);
    await tap.repeat(run);
    await waitFor('a second beginning', () => beginningsOf(stage, stage) + beginningsOf(stage, `${stage}-2`) > before);
    await task.writers.untilMore(150);
    await task.expectEqual();
  });
});

/** What a worker does first with a run, once per session with its server. */
const BEGINNINGS: Readonly<Record<Stage, RegExp>> = {
  capture: /capture session started/g,
  apply: /apply session started/g,
};

function beginningsOf(stage: Stage, service: string): number {
  return [...cluster.logOf(service).matchAll(BEGINNINGS[stage])].length;
}

function otherOf(stage: Stage, service: string): string {
  return service === stage ? `${stage}-2` : stage;
}

/** The replica that began last. */
function ownerOf(stage: Stage): string {
  const last = (service: string): string => {
    const lines = cluster.logOf(service).split('\n');
    return lines.findLast((line) => line.match(BEGINNINGS[stage])) ?? '';
  };
  const at = (service: string): string => /"time":"([^"]+)"/.exec(last(service))?.[1] ?? '';
  return at(stage) > at(`${stage}-2`) ? stage : `${stage}-2`;
}
