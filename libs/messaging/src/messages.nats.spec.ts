import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { appliedMessages, credentialsRequests, type DesiredState, type TaskEvent, taskEvents } from '@sluice/contracts';
import { deferred, Secret } from '@sluice/kernel';
import { dedicatedNats, testNats, waitFor } from '@sluice/testing';
import { z } from 'zod';
import { type Bus } from './bus.js';
import { requestEndpoints, serveCredentials, type TaskEndpoints } from './credentials.js';
import { desiredStates } from './desired-states.js';
import { consumeEvents } from './events.js';
import { publish } from './publish.js';
import { request } from './request-reply.js';
import { specBus } from './spec-builders.js';
import { subscribe } from './subscribe.js';

jest.setTimeout(60_000);

function taskEvent(to: string): TaskEvent {
  return {
    version: 1,
    eventId: randomUUID(),
    taskId: randomUUID(),
    taskName: 'spec-task',
    from: null,
    to,
    error: null,
    at: new Date().toISOString(),
  };
}

async function publishEvent(bus: Bus, event: TaskEvent): Promise<void> {
  await publish(bus, taskEvents, {
    params: { taskId: event.taskId },
    payload: event,
    durable: true,
    msgId: event.eventId,
  });
}

describe('messages', () => {
  let bus: Bus;
  beforeAll(async () => {
    bus = await specBus((await testNats()).url);
  });
  afterAll(() => bus.close());

  it('delivers events that were published before anybody listened, and again after an error', async () => {
    const stop = new AbortController();
    const [first, second] = [taskEvent('starting'), taskEvent('full_load')];
    await publishEvent(bus, first);
    await publishEvent(bus, first);
    await publishEvent(bus, second);
    const seen: string[] = [];
    const done = consumeEvents(bus, {
      subject: taskEvents,
      durableName: `spec-${randomUUID()}`,
      signal: stop.signal,
      handle: async (event, { redelivered }) => {
        seen.push(`${event.to}${redelivered ? ' again' : ''}`);
        if (event.to === 'starting' && !redelivered) throw new Error('not now');
      },
    });
    await waitFor('all three deliveries', () => seen.length === 3);
    stop.abort();
    await done;
    expect(seen).toEqual(['starting', 'full_load', 'starting again']);
  });

  it('refuses to publish what does not fit the schema', async () => {
    const event = { ...taskEvent('starting'), taskId: 'no-id' };
    await expect(publishEvent(bus, event)).rejects.toMatchObject({ code: 'SLUICE-7002' });
  });

  it('hands a live message to those who listen for its task', async () => {
    const [mine, other] = [randomUUID(), randomUUID()];
    const seen = deferred<string>();
    using listening = subscribe(bus, appliedMessages, {
      params: { taskId: mine },
      handle: ({ taskId }) => seen.resolve(taskId),
    });
    for (const taskId of [other, mine]) {
      await publish(bus, appliedMessages, {
        params: { taskId },
        payload: { version: 1, taskId, durableLsn: '0/1' },
        durable: false,
      });
    }
    expect(await seen.promise).toBe(mine);
    expect(listening.closed).toBeInstanceOf(Promise);
  });

  it('says 7001 when nobody answers a request', async () => {
    const asked = request(bus, credentialsRequests, {
      params: {},
      payload: { version: 1, taskId: randomUUID(), service: 'spec', publicKey: '', mac: '' },
      reply: z.unknown(),
      timeoutMs: 500,
    });
    await expect(asked).rejects.toMatchObject({ code: 'SLUICE-7001' });
  });
});

describe('credentials', () => {
  const busKey = new Secret(randomBytes(32).toString('base64'));
  const endpoint = {
    host: 'db',
    port: 5432,
    database: 'shop',
    user: 'app',
    password: 'pa$$',
    tls: { mode: 'disable' as const },
  };
  const endpoints: TaskEndpoints = { source: endpoint, target: { ...endpoint, host: 'copy' } };
  const known = randomUUID();
  let bus: Bus;
  beforeAll(async () => {
    bus = await specBus((await testNats()).url);
    serveCredentials(bus, { busKey, lookup: async (taskId) => (taskId === known ? endpoints : null) });
  });
  afterAll(() => bus.close());

  it('reach the one who asks with the right key, and nobody who listens', async () => {
    const overheard: string[] = [];
    bus.connection.subscribe('>', { callback: (_, message) => void overheard.push(message.string()) });
    expect(await requestEndpoints(bus, known, { service: 'spec', busKey })).toEqual(endpoints);
    expect(overheard.length).toBeGreaterThan(1);
    expect(overheard.join()).not.toContain('pa$$');
  });

  it.each([
    {
      when: 'the bus key differs',
      taskId: known,
      key: new Secret(randomBytes(32).toString('base64')),
      code: 'SLUICE-6005',
    },
    { when: 'there is no such task', taskId: randomUUID(), key: busKey, code: 'SLUICE-6002' },
  ])('are refused when $when', async ({ taskId, key, code }) => {
    await expect(requestEndpoints(bus, taskId, { service: 'spec', busKey: key })).rejects.toMatchObject({ code });
  });
});

describe('desiredStates', () => {
  const state = (desired: DesiredState['desired'], epoch: number): DesiredState => ({ version: 1, desired, epoch });

  it('stores, reads and deletes', async () => {
    await using bus = await specBus((await testNats()).url);
    const states = desiredStates(bus);
    const taskId = randomUUID();
    expect(await states.get(taskId)).toBeNull();
    await states.put(taskId, state('running', 1));
    expect(await states.get(taskId)).toEqual(state('running', 1));
    await states.delete(taskId);
    expect(await states.get(taskId)).toBeNull();
  });

  it('shows the current order and every later one, over a restart and over a wipe of the server', async () => {
    await using server = await dedicatedNats();
    await using bus = await specBus(server.url);
    const states = desiredStates(bus);
    const taskId = randomUUID();
    const stop = new AbortController();
    const seen: string[] = [];
    const shown = (what: string): Promise<unknown> => waitFor(what, () => seen.at(-1) === what);
    await states.put(taskId, state('running', 1));
    const watching = (async () => {
      for await (const { desired, epoch } of states.watch(taskId, { signal: stop.signal }))
        seen.push(`${desired} ${epoch}`);
    })();
    await shown('running 1');
    await states.put(taskId, state('paused', 1));
    await shown('paused 1');
    await server.kill9();
    await server.restart();
    await waitFor('the bus is connected', () => bus.isConnected);
    await states.put(taskId, state('running', 2));
    await shown('running 2');
    await server.kill9();
    await server.restart({ wipe: true });
    await waitFor('the bus is connected', () => bus.isConnected);
    await states.put(taskId, state('ending', 2));
    await shown('ending 2');
    stop.abort();
    await watching;
    expect(seen).toEqual(['running 1', 'paused 1', 'running 2', 'ending 2']);
  });
});
