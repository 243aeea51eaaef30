import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { SluiceError, type SourceRoleList, sourceRolesQuestion } from '@sluice/contracts';
import { answer, serveRequests } from '@sluice/messaging';
import { testDatabase, type TestDatabase, testNats } from '@sluice/testing';
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

describe('the users of a task', () => {
  it('are none when nothing is said, and kept as they were chosen', async () => {
    const plain = await call('POST', '/tasks', { body: taskRequest(newName()) });
    expect(plain.body['users']).toEqual({ roles: [], passwords: true, privileges: true });
    const users = { roles: ['app', 'Odd "röle"'], passwords: false };
    const { body } = await call('POST', '/tasks', { body: taskRequest(newName(), { users }) });
    expect((await call('GET', `/tasks/${String(body['id'])}`)).body['users']).toEqual({ ...users, privileges: true });
    const all = await call('POST', '/tasks', { body: taskRequest(newName(), { users: { roles: 'all' } }) });
    expect(all.body['users']).toEqual({ roles: 'all', passwords: true, privileges: true });
  });

  it.each([
    ['a reserved name', { roles: ['pg_monitor'] }],
    ['a name of 64 bytes', { roles: ['ü'.repeat(32)] }],
    ['no name', { roles: [''] }],
    ['a name twice', { roles: ['app', 'app'] }],
    ['another word', { roles: 'some' }],
    ['an unknown field', { roles: [], owners: true }],
  ])('are refused with %s, and nothing is stored', async (_, users) => {
    const name = newName();
    const { status, body } = await call('POST', '/tasks', { body: taskRequest(name, { users }) });
    expect([status, body['code']]).toEqual([400, 'SLUICE-6001']);
    expect((await call('GET', `/tasks/name-check?name=${name}`)).body['isAvailable']).toBe(true);
  });
});

describe('PUT /tasks/{id}/users', () => {
  it('replaces the choice until the task is started, at the revision that was seen, and is audited', async () => {
    const { body, headers } = await call('POST', '/tasks', { body: taskRequest(newName()) });
    const path = `/tasks/${String(body['id'])}`;
    const users = { roles: ['app'], passwords: false, privileges: false };
    const ifMatch = { headers: { 'if-match': headers.get('etag') ?? '' } };
    const chosen = await call('PUT', `${path}/users`, { body: users, ...ifMatch });
    expect([chosen.status, chosen.body['users'], chosen.body['revision']]).toEqual([200, users, 2]);
    expect((await call('PUT', `${path}/users`, { body: users, ...ifMatch })).body['code']).toBe('SLUICE-6013');
    expect((await call('PUT', `${path}/users`, { body: { roles: ['pg_x'] } })).status).toBe(400);
    const { items } = (await call('GET', `/audit-events?limit=200`)).body;
    const audited = (items as readonly Record<string, unknown>[]).find(
      ({ action, outcome }) => action === 'choose users' && outcome === 'done',
    );
    expect(audited).toMatchObject({ before: { users: { roles: [] } }, after: { users } });

    await call('POST', `${path}/start`);
    const late = await call('PUT', `${path}/users`, { body: { roles: [] } });
    expect([late.status, late.body['code']]).toEqual([409, 'SLUICE-6003']);
    expect((await call('GET', path)).body['users']).toEqual(users);
  });
});

describe('GET /tasks/{id}/source-roles', () => {
  const create = async (users: object): Promise<string> =>
    String((await call('POST', '/tasks', { body: taskRequest(newName(), { users }) })).body['id']);

  it('asks a worker, with what the task wants of its roles', async () => {
    const list: SourceRoleList = {
      items: [{ name: 'app', canSync: true, obstacles: [], attributes: ['LOGIN'], memberOf: [] }],
      nextCursor: 'cmFwcA',
    };
    const asked: unknown[] = [];
    using _worker = serveRequests(service.bus, sourceRolesQuestion, {
      handle: (message) => {
        asked.push(message.asked);
        return answer(sourceRolesQuestion, { message, work: async () => list, log: service.bus.log });
      },
    });
    const id = await create({ roles: [], passwords: false });
    const { status, body } = await call('GET', `/tasks/${id}/source-roles?search=a&limit=1&cursor=abc`);
    expect([status, body]).toEqual([200, list]);
    const wishes = { passwords: false, privileges: true };
    expect(asked).toEqual([{ search: 'a', limit: 1, cursor: 'abc', wishes }]);
  });

  it('shows the error of the worker as its own', async () => {
    const failure = new SluiceError('SLUICE-1005', { detail: 'source as app: password authentication failed' });
    using _worker = serveRequests(service.bus, sourceRolesQuestion, {
      handle: (message) =>
        answer(sourceRolesQuestion, { message, work: () => Promise.reject(failure), log: service.bus.log }),
    });
    const { status, body } = await call('GET', `/tasks/${await create({})}/source-roles`);
    expect([status, body['code'], body['detail']]).toEqual([422, 'SLUICE-1005', failure.detail]);
  });

  it('says so when no worker runs, and refuses a query that it does not know', async () => {
    const id = await create({});
    const unanswered = await call('GET', `/tasks/${id}/source-roles`);
    expect([unanswered.status, unanswered.body['code']]).toEqual([503, 'SLUICE-7003']);
    expect(unanswered.body['detail']).toContain('connection-test');
    expect((await call('GET', `/tasks/${id}/source-roles?limit=0`)).status).toBe(400);
    expect((await call('GET', `/tasks/${id}/source-roles?page=2`)).status).toBe(400);
  });
});
