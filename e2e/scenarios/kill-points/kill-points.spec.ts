import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectSameRows, KILL_POINTS, killPointEnvironment, type KillPointName, waitFor } from '@sluice/testing';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { MIXED } from '../../src/mixed-schema.js';
import { startWriters } from '../../src/writers.js';

interface Death {
  readonly service: string;
  readonly at: KillPointName;
  /** At the how manyth passage. */
  readonly passage: number;
}

const dies = (service: string, at: KillPointName, passage = 1): Death => ({ service, at, passage });

/** Several services die in the same task, each at one point: a life has but one. */
const ROUNDS: readonly (readonly Death[])[] = [
  [
    dies('snapshot-holder', 'full-load-after-slot'),
    dies('full-load', 'full-load-after-structure'),
    dies('capture', 'capture-before-publish', 3),
    dies('apply', 'apply-before-commit', 2),
  ],
  [
    dies('full-load', 'copy-before-commit', 3),
    dies('capture', 'capture-after-publish-ack', 3),
    dies('apply', 'apply-after-commit', 2),
  ],
  [
    dies('full-load', 'copy-after-commit', 3),
    dies('capture', 'capture-before-status-update', 2),
    dies('apply', 'apply-before-ack', 2),
  ],
  [dies('full-load', 'build-before-commit', 4)],
];

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(async () => cluster[Symbol.asyncDispose]());

describe('a task ends equal when services die', () => {
  it.each(ROUNDS.map((deaths) => ({ deaths, at: deaths.map(({ at }) => at).join(', ') })))(
    'at $at',
    async ({ deaths }) => {
      const source = await cluster.sourceDatabase(MIXED);
      const target = await cluster.targetDatabase();
      const before = new Map(deaths.map(({ service }) => [service, cluster.deaths(service)]));
      await Promise.all(
        deaths.map(({ service, at, passage }) => cluster.restart(service, killPointEnvironment(at, passage))),
      );
      await using writers = await startWriters(source, 1);
      const taskId = await cluster.createAndStart({ source, target });
      await cluster.untilState(taskId, 'incremental');
      for (const { service, at } of deaths) {
        await waitFor(`${service} to die at ${at}`, () => cluster.deaths(service) === (before.get(service) ?? 0) + 1);
      }
      await writers.untilMore(50);
      expect(await writers.stop()).toBeGreaterThan(50);
      await untilCaughtUp(source, target);
      await expectSameRows(source, target);
      // The holder is a process of its own, so that the death of one that copies costs no snapshot.
      if (deaths.every(({ service }) => service !== 'snapshot-holder')) {
        expect(await target.query('SELECT generation FROM sluice.load')).toEqual([{ generation: 1 }]);
      }
      await cluster.api.act(taskId, 'end');
      await cluster.untilState(taskId, 'ended');
    },
  );

  it('at every kill point that there is', () => {
    expect(
      ROUNDS.flat()
        .map(({ at }) => at)
        .sort(),
      // Those of tables that join are passed only by tasks that follow DDL.
    ).toEqual([...KILL_POINTS].filter((name) => !name.startsWith('adoption-')).sort());
  });
});
