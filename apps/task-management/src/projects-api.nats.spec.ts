import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ProjectResource } from '@sluice/contracts';
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

const createProject = async (name: string): Promise<ProjectResource> => {
  const answer = await call('POST', '/projects', { body: { name } });
  expect(answer.status).toBe(201);
  return ProjectResource.parse(answer.body);
};

describe('projects', () => {
  it('are created, read, renamed, listed and deleted', async () => {
    const { id } = await createProject('first life');
    const renamed = await call('PATCH', `/projects/${id}`, { body: { name: 'second life' } });
    expect(ProjectResource.parse(renamed.body)).toMatchObject({ id, name: 'second life', isDefault: false });
    expect((await call('GET', `/projects/${id}`)).body).toEqual(renamed.body);
    const list = await call('GET', '/projects?limit=1');
    expect(list.body['items']).toEqual([renamed.body]);
    expect(list.body['nextCursor']).toEqual(expect.any(String));
    expect((await call('DELETE', `/projects/${id}`)).status).toBe(204);
    for (const method of ['GET', 'DELETE']) expect((await call(method, `/projects/${id}`)).status).toBe(404);
  });

  it.each(['', ' x', 'x ', 'a/b', 'x'.repeat(65)])('refuse the name "%s"', async (name) => {
    const answer = await call('POST', '/projects', { body: { name } });
    expect(answer.body).toMatchObject({ status: 400, code: 'SLUICE-6001', errors: [{ path: 'name' }] });
  });

  it('refuse a name that is taken, and a field that is unknown', async () => {
    await createProject('taken');
    expect((await call('POST', '/projects', { body: { name: 'TAKEN' } })).body['code']).toBe('SLUICE-6004');
    expect((await call('POST', '/projects', { body: { name: 'x', color: 'red' } })).status).toBe(400);
  });

  it('are created once per Idempotency-Key', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const first = await call('POST', '/projects', { body: { name: 'once' }, headers });
    const second = await call('POST', '/projects', { body: { name: 'once' }, headers });
    expect(second.body).toEqual(first.body);
    expect([first, second].map((one) => one.headers.get('idempotent-replayed'))).toEqual([null, 'true']);
  });
});

describe('tasks', () => {
  it('go to the default project, or to the one that is named, which cannot be deleted then', async () => {
    const project = await createProject('with tasks');
    const standard = await call('POST', '/tasks', { body: taskRequest('same-name') });
    const named = await call('POST', '/tasks', { body: taskRequest('same-name', { projectId: project.id }) });
    expect([standard.status, named.status, named.body['projectId']]).toEqual([201, 201, project.id]);
    expect(standard.body['projectId']).toBe((await service.metadata.projects.findDefault()).id);
    const listed = await call('GET', `/tasks?projectId=${project.id}`);
    expect(listed.body['items']).toEqual([named.body]);
    expect((await call('DELETE', `/projects/${project.id}`)).body['code']).toBe('SLUICE-6008');
    const nowhere = await call('POST', '/tasks', { body: taskRequest('nowhere', { projectId: randomUUID() }) });
    expect([nowhere.status, nowhere.body['code']]).toEqual([404, 'SLUICE-6002']);
  });

  it('are told whether a name could be used, by project', async () => {
    const { id } = await createProject('names');
    await call('POST', '/tasks', { body: taskRequest('my-name', { projectId: id }) });
    const check = async (query: string): Promise<unknown> => (await call('GET', `/tasks/name-check?${query}`)).body;
    expect(await check(`name=MY-name&projectId=${id}`)).toEqual({
      name: 'MY-name',
      isAvailable: false,
      reason: 'taken',
    });
    expect(await check('name=my-name')).toMatchObject({ isAvailable: true, reason: null });
    expect(await check('name=1x')).toMatchObject({ isAvailable: false, reason: 'malformed' });
    expect(await check('')).toMatchObject({ status: 400, code: 'SLUICE-6001' });
  });
});
