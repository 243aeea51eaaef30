import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CHANGE_HEADERS, DESIRED_BUCKET } from '@sluice/contracts';
import { createLogger } from '@sluice/telemetry';
import { type NatsCluster, natsCluster, testNats, waitFor } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { type Bus, connectBus } from './bus.js';
import { changeStreams } from './change-streams.js';

const log = createLogger({ service: 'spec', level: 'silent' });

let cluster: NatsCluster;
beforeAll(async () => {
  cluster = await natsCluster();
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

async function clusterBus(replicas: number): Promise<Bus> {
  const bus = await connectBus({ servers: cluster.url, name: 'spec', log, replicas });
  await untilDone('streams on the cluster', () => bus.ensureTopology());
  return bus;
}

/** A cluster elects leaders at its start and after a loss, and answers nothing meanwhile. */
async function untilDone<T>(what: string, work: () => Promise<T>): Promise<T> {
  const done = await waitFor(what, () =>
    work().then(
      (value) => ({ value }),
      () => false as const,
    ),
  );
  return done.value;
}

describe('replicas of the streams', () => {
  it('raises those of streams that exist, and never lowers them', async () => {
    const taskId = randomUUID();
    await using single = await clusterBus(1);
    await changeStreams(single).ensure(taskId);
    expect(await changeStreams(single).info(taskId)).toMatchObject({ replicas: 1 });
    await using three = await clusterBus(3);
    // A server that is busy making copies may not answer in time; it is tried again, as services do.
    await untilDone('the copies', () => changeStreams(three).ensure(taskId));
    expect(await changeStreams(three).info(taskId)).toMatchObject({ replicas: 3 });
    await changeStreams(single).ensure(taskId);
    await single.ensureTopology();
    expect(await changeStreams(single).info(taskId)).toMatchObject({ replicas: 3 });
    for (const stream of [`KV_${DESIRED_BUCKET}`, 'SLUICE_RUNS', 'SLUICE_EVENTS'])
      expect((await three.manager.streams.info(stream)).config.num_replicas).toBe(3);
  });

  it('keeps every batch, in order, when a server dies while many are under way', async () => {
    const taskId = randomUUID();
    await using bus = await clusterBus(3);
    await changeStreams(bus).ensure(taskId);
    let stored = 0;
    let attempt = 0;
    const publishRest = async (): Promise<void> => {
      using publisher = await changeStreams(bus).openPublisher(taskId);
      const tail = await publisher.lastMessage();
      const from = tail ? Number(tail.headers[CHANGE_HEADERS.ordinal]) + 1 : 0;
      const publishes = Array.from({ length: 300 - from }, async (_, index) => {
        await publisher.publish(Buffer.alloc(20_000, 1), { [CHANGE_HEADERS.ordinal]: String(from + index) });
        stored += 1;
        if (stored === 100) await cluster.servers[0]?.kill9();
      });
      await Promise.all(publishes);
    };
    await waitFor('all batches to be stored', async () => {
      attempt += 1;
      return publishRest().then(
        () => true,
        () => false,
      );
    });
    await using reader = await untilDone('a reader', () => changeStreams(bus).openReader(taskId));
    const ordinals: number[] = [];
    while (ordinals.length < 300) {
      const message = await reader.next(20_000);
      if (!message) break;
      ordinals.push(Number(message.headers[CHANGE_HEADERS.ordinal]));
    }
    expect(attempt).toBeGreaterThan(0);
    expect(ordinals).toEqual(Array.from({ length: 300 }, (_, index) => index));
    await cluster.servers[0]?.restart();
  });

  it('says what is missing when the bus has too few servers', async () => {
    await using bus = await connectBus({ servers: (await testNats()).url, name: 'spec', log, replicas: 3 });
    await expect(bus.ensureTopology()).rejects.toMatchObject({
      code: 'SLUICE-7001',
      detail: expect.stringMatching(/cannot have 3 replicas/),
    });
  });
});
