import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { desiredStates } from '@sluice/messaging';
import { testDatabase, type TestDatabase, testNats, waitFor } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { type Call, taskRequest, testClient } from './test-client.js';
import { ADMIN_KEY, startTestService, type TestService } from './test-service.js';

jest.setTimeout(60_000);

let database: TestDatabase;
let service: TestService;
let call: Call;

beforeAll(async () => {
  database = await testDatabase();
  service = await startTestService({ databaseUrl: database.url, natsUrl: (await testNats()).url });
  call = testClient(service.url, ADMIN_KEY);
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const newName = (): string => `task-${randomUUID().slice(0, 8)}`;
const create = async (rateLimit?: object) =>
  call('POST', '/tasks', { body: taskRequest(newName(), rateLimit && { rateLimit }) });
const WINDOWS = {
  mode: 'windows',
  timeZone: 'Asia/Shanghai',
  windows: [{ from: '20:00', to: '06:30', megabytesPerSecond: 30 }],
};
const SLOW = { mode: 'all_day', megabytesPerSecond: 1 };

describe('the rate limit of a task', () => {
  it('is off when nothing is said, and kept as it was set', async () => {
    expect((await create()).body['rateLimit']).toEqual({ mode: 'off' });
    const { body } = await create(WINDOWS);
    expect((await call('GET', `/tasks/${String(body['id'])}`)).body['rateLimit']).toEqual(WINDOWS);
  });

  it('is refused with what is wrong, and nothing is stored', async () => {
    const name = newName();
    const rateLimit = {
      ...WINDOWS,
      windows: [...WINDOWS.windows, { from: '06:00', to: '07:00', megabytesPerSecond: 0 }],
    };
    const { status, body } = await call('POST', '/tasks', { body: taskRequest(name, { rateLimit }) });
    expect([status, body['code']]).toEqual([400, 'SLUICE-6001']);
    expect(JSON.stringify(body['errors'])).toContain('rateLimit.windows.1');
    expect((await call('GET', `/tasks/name-check?name=${name}`)).body['isAvailable']).toBe(true);
  });
});

describe('PUT /tasks/{id}/rate-limit', () => {
  it('reaches the workers of a started task, at the revision that was seen, and is audited', async () => {
    const { body, headers } = await create(WINDOWS);
    const id = String(body['id']);
    const path = `/tasks/${id}/rate-limit`;
    const seen = { headers: { 'if-match': headers.get('etag') ?? '' } };
    const set = await call('PUT', path, { body: SLOW, ...seen });
    expect([set.status, set.body['rateLimit'], set.body['revision']]).toEqual([200, SLOW, 2]);
    expect((await call('PUT', path, { body: SLOW, ...seen })).body['code']).toBe('SLUICE-6013');
    expect((await call('PUT', path, { body: { ...WINDOWS, timeZone: 'Mars/Crater' } })).status).toBe(400);
    const ordered = (limit: object) =>
      waitFor('the order on the bus', async () => {
        const desired = await desiredStates(service.bus).get(id);
        return JSON.stringify(desired?.rateLimit) === JSON.stringify(limit) ? desired : undefined;
      });
    expect(await desiredStates(service.bus).get(id)).toBeNull();

    await call('POST', `/tasks/${id}/start`);
    expect(await ordered(SLOW)).toMatchObject({ desired: 'running', epoch: 1 });
    expect((await call('PUT', path, { body: { mode: 'off' } })).status).toBe(200);
    expect(await ordered({ mode: 'off' })).toMatchObject({ desired: 'running', epoch: 1 });

    const { items } = (await call('GET', `/audit-events?limit=200`)).body;
    const audited = (items as readonly Record<string, unknown>[]).filter(
      ({ action, outcome }) => action === 'set rate limit' && outcome === 'done',
    );
    expect(audited).toContainEqual(
      expect.objectContaining({ before: { rateLimit: WINDOWS }, after: { rateLimit: SLOW } }),
    );
  });

  it('is refused once there is no load', async () => {
    const { body } = await create();
    const path = `/tasks/${String(body['id'])}`;
    await call('POST', `${path}/end`);
    const late = await call('PUT', `${path}/rate-limit`, { body: SLOW });
    expect([late.status, late.body['code']]).toEqual([409, 'SLUICE-6003']);
    expect((await call('GET', path)).body['rateLimit']).toEqual({ mode: 'off' });
  });
});
