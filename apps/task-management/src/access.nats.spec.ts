import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type ApiKeyScope, type Role, ROLES } from '@sluice/contracts';
import { testDatabase, type TestDatabase, testNats } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { taskRequest, testClient } from './test-client.js';
import { ADMIN_KEY, startTestService, type TestService } from './test-service.js';

jest.setTimeout(60_000);

type Who = 'nobody' | Role | 'stranger' | 'deployment';

/** Objects of project `ours`, made anew for every call, as some calls remove them. */
interface Objects {
  readonly project: string;
  readonly task: string;
  readonly key: string;
}

interface Row {
  /** The weakest that is let through. */
  readonly least: 'nobody' | Role | 'deployment';
  /** What the admin of another project gets: nothing of the object, or an answer without it. */
  readonly stranger: 404 | 403 | 'without ours';
  readonly path?: (objects: Objects) => string;
  readonly body?: (objects: Objects) => unknown;
}

const ofTask = (least: Role): Row => ({ least, stranger: 404, path: ({ task }) => task });

/** Every route of the application; one that is missing here fails a test below. */
const TABLE: Readonly<Record<string, Row>> = {
  'GET /': { least: 'nobody', stranger: 'without ours' },
  'GET /api/v1': { least: 'nobody', stranger: 'without ours' },
  'GET /api/v1/openapi.json': { least: 'nobody', stranger: 'without ours' },
  'GET /api/v1/tasks': { least: 'viewer', stranger: 'without ours' },
  'GET /api/v1/tasks/events': { least: 'viewer', stranger: 'without ours' },
  'GET /api/v1/tasks/name-check': {
    least: 'viewer',
    stranger: 404,
    path: ({ project }) => `?name=some-name&projectId=${project}`,
  },
  'POST /api/v1/tasks': {
    least: 'operator',
    stranger: 404,
    body: ({ project }) => taskRequest(`task-${randomUUID().slice(0, 8)}`, { projectId: project }),
  },
  'GET /api/v1/tasks/:id': ofTask('viewer'),
  'GET /api/v1/tasks/:id/events': ofTask('viewer'),
  'GET /api/v1/tasks/:id/conflicts': ofTask('viewer'),
  'GET /api/v1/tasks/:id/source-roles': ofTask('viewer'),
  'PUT /api/v1/tasks/:id/users': { ...ofTask('operator'), body: () => ({ roles: [] }) },
  'PUT /api/v1/tasks/:id/rate-limit': { ...ofTask('operator'), body: () => ({ mode: 'off' }) },
  'GET /api/v1/tasks/:id/catalog': ofTask('viewer'),
  'GET /api/v1/tasks/:id/catalog/objects': ofTask('viewer'),
  'POST /api/v1/tasks/:id/catalog/closure': ofTask('viewer'),
  'GET /api/v1/tasks/:id/objects': ofTask('viewer'),
  'PUT /api/v1/tasks/:id/objects': { ...ofTask('operator'), body: () => ({ level: 'database' }) },
  'GET /api/v1/tasks/:id/objects/export': ofTask('viewer'),
  'POST /api/v1/tasks/:id/objects/import': ofTask('operator'),
  'POST /api/v1/tasks/:id/ddl-decisions': {
    ...ofTask('operator'),
    body: () => ({ commitLsn: '0/1', number: 1, decision: 'skip' }),
  },
  'POST /api/v1/tasks/:id/:action': ofTask('operator'),
  'DELETE /api/v1/tasks/:id': ofTask('admin'),
  'GET /api/v1/alarms': { least: 'viewer', stranger: 'without ours' },
  'GET /api/v1/api-keys': { least: 'admin', stranger: 'without ours' },
  'GET /api/v1/audit-events': { least: 'admin', stranger: 'without ours' },
  'POST /api/v1/api-keys': { least: 'admin', stranger: 404, body: ({ project }) => newKey(project) },
  'GET /api/v1/api-keys/:id': { least: 'admin', stranger: 404, path: ({ key }) => key },
  'POST /api/v1/api-keys/:id/revoke': { least: 'admin', stranger: 404, path: ({ key }) => key },
  'GET /api/v1/projects': { least: 'viewer', stranger: 'without ours' },
  'POST /api/v1/projects': { least: 'deployment', stranger: 403, body: () => ({ name: randomUUID() }) },
  'GET /api/v1/projects/:id': { least: 'viewer', stranger: 404, path: ({ project }) => project },
  'PATCH /api/v1/projects/:id': {
    least: 'admin',
    stranger: 404,
    path: ({ project }) => project,
    body: () => ({ name: `p${randomUUID()}` }),
  },
  'DELETE /api/v1/projects/:id': { least: 'deployment', stranger: 403, path: ({ project }) => project },
};

const newKey = (projectId: string) => ({
  name: 'made here',
  scope: { kind: 'projects', projects: [{ projectId, role: 'admin' }] },
});

let database: TestDatabase;
let service: TestService;
let ours: string;
const keys: Partial<Record<Who, string>> = { deployment: ADMIN_KEY };

beforeAll(async () => {
  database = await testDatabase();
  service = await startTestService({ databaseUrl: database.url, natsUrl: (await testNats()).url });
  ours = await createProject('ours');
  for (const role of ROLES) keys[role] = await createKey([{ projectId: ours, role }]);
  keys.stranger = await createKey([{ projectId: await createProject('theirs'), role: 'admin' }]);
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const call = (who: Who) => testClient(service.url, keys[who] ?? '');

async function createProject(name: string): Promise<string> {
  return String((await testClient(service.url, ADMIN_KEY)('POST', '/projects', { body: { name } })).body['id']);
}

async function createKey(projects: Extract<ApiKeyScope, { kind: 'projects' }>['projects']): Promise<string> {
  const origin = { actor: 'test', keyId: null, role: null, address: null, traceId: null, trace: {} };
  const key = { name: 'a key', scope: { kind: 'projects' as const, projects }, expiresAt: null };
  return (await service.metadata.apiKeys.create(key, { origin })).secret?.reveal() ?? '';
}

async function createTask(): Promise<string> {
  const body = taskRequest(`task-${randomUUID().slice(0, 8)}`, { projectId: ours });
  return String((await call('deployment')('POST', '/tasks', { body })).body['id']);
}

async function ourObjects(): Promise<Objects> {
  const key = await call('deployment')('POST', '/api-keys', { body: newKey(ours) });
  return { project: ours, task: await createTask(), key: String(key.body['id']) };
}

/** The status, and the text as far as it has come: a stream of events is left after its first part. */
async function request(who: Who, route: string, objects: Objects): Promise<{ status: number; text: string }> {
  const [method = '', pattern = ''] = route.split(' ');
  const { path, body } = TABLE[route] ?? {};
  const suffix = path?.(objects) ?? '';
  const concrete = suffix.startsWith('?')
    ? pattern + suffix
    : pattern.replace(':id', suffix).replace(':action', 'pause');
  const abort = new AbortController();
  const response = await fetch(`${service.url}${concrete}`, {
    method,
    headers: { 'content-type': 'application/json', ...(keys[who] && { authorization: `Bearer ${keys[who]}` }) },
    signal: abort.signal,
    ...(body && { body: JSON.stringify(body(objects)) }),
  });
  const isStream = response.headers.get('content-type')?.includes('event-stream') === true;
  const text = isStream ? '' : await response.text();
  abort.abort();
  return { status: response.status, text };
}

const RANK: readonly Who[] = ['nobody', ...ROLES, 'deployment'];

const cells = Object.entries(TABLE).flatMap(([route, row]) => RANK.map((who) => [who, route, row] as const));

describe('every route', () => {
  it('that the application registers stands in the table, and no other', () => {
    expect([...service.routes].sort()).toEqual(Object.keys(TABLE).sort());
  });

  it('that the application registers under /api/v1 is described by the OpenAPI document, and no other', async () => {
    const document = (await call('deployment')('GET', '/openapi.json')).body;
    const paths = z.record(z.string(), z.record(z.string(), z.unknown())).parse(document['paths']);
    const described = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item)
        .filter((method) => method !== 'parameters')
        .map((method) => `${method.toUpperCase()} /api/v1${path.replace('{id}', ':id')}`),
    );
    const asRegistered = described.map((route) =>
      service.routes.includes(route) ? route : route.replace(/[^/]+$/, ':action'),
    );
    const registered = service.routes.filter((route) => route.includes('/api/v1/'));
    expect([...new Set(asRegistered)].sort()).toEqual([...registered].sort());
  });

  it.each(cells)('%s: %s', async (who, route, { least }) => {
    const { status } = await request(who, route, await ourObjects());
    if (RANK.indexOf(who) >= RANK.indexOf(least)) expect([401, 403, 404]).not.toContain(status);
    else expect(status).toBe(who === 'nobody' ? 401 : 403);
  });

  it.each(Object.entries(TABLE))('the admin of another project: %s', async (route, { stranger }) => {
    const objects = await ourObjects();
    const { status, text } = await request('stranger', route, objects);
    if (stranger !== 'without ours') expect(status).toBe(stranger);
    else expect(status).toBe(200);
    if (stranger !== 404) {
      expect(text).not.toMatch(new RegExp(`${objects.task}|${objects.key}|${ours}`));
      return;
    }
    // Not only the status: nothing in the answer tells an object of others from one that does not exist.
    const nothing = { project: randomUUID(), task: randomUUID(), key: randomUUID() };
    const absent = (await request('stranger', route, nothing)).text;
    const anonymous = (answer: string, { project, task, key }: Objects): string =>
      answer.replaceAll(new RegExp(`${project}|${task}|${key}`, 'g'), 'ID').replace(/"traceId":"\w+"/, '');
    expect(anonymous(text, objects)).toBe(anonymous(absent, nothing));
  });
});

describe('a key', () => {
  it('of several projects must say which one is meant, unless it sees the default one', async () => {
    const projects = [await createProject('one of two'), await createProject('two of two')];
    const key = await createKey(projects.map((projectId) => ({ projectId, role: 'operator' })));
    const create = testClient(service.url, key);
    const unnamed = await create('POST', '/tasks', { body: taskRequest('unnamed') });
    expect([unnamed.status, unnamed.body['detail']]).toEqual([400, expect.stringContaining('projectId: required')]);
    const named = await create('POST', '/tasks', { body: taskRequest('named', { projectId: projects[1] }) });
    expect([named.status, named.body['projectId']]).toEqual([201, projects[1]]);
    const seen = await create('GET', '/tasks');
    expect(seen.body['items']).toEqual([named.body]);
    const elsewhere = await create('GET', `/tasks?projectId=${ours}`);
    expect(elsewhere.body['items']).toEqual([]);
  });

  it('of one project means that one', async () => {
    const task = await call('operator')('POST', '/tasks', { body: taskRequest('in-ours') });
    expect(task.body['projectId']).toBe(ours);
  });
});

describe('live events', () => {
  it.each(['revoked', 'without its project'])('end when the key is %s', async (how) => {
    const projectId = await createProject(`of a key that is ${how}`);
    const { body } = await call('deployment')('POST', '/api-keys', { body: newKey(projectId) });
    const response = await fetch(`${service.url}/api/v1/tasks/events`, {
      headers: { authorization: `Bearer ${String(body['secret'])}` },
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('heartbeat')) text += (await reader?.read())?.value ?? '';
    if (how === 'revoked') await call('deployment')('POST', `/api-keys/${String(body['id'])}/revoke`);
    else await call('deployment')('DELETE', `/projects/${projectId}`);
    while ((await reader?.read())?.done === false);
    expect((await call('deployment')('GET', '/tasks')).status).toBe(200);
  });

  it('tell of the tasks of the own projects only', async () => {
    const abort = new AbortController();
    const authorization = `Bearer ${keys.stranger ?? ''}`;
    const response = await fetch(`${service.url}/api/v1/tasks/events`, {
      headers: { authorization },
      signal: abort.signal,
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const until = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text)) text += (await reader?.read())?.value ?? '';
    };
    await until(/retry/);
    const foreign = await createTask();
    await call('deployment')('POST', `/tasks/${foreign}/start`);
    const own = await call('stranger')('POST', '/tasks', { body: taskRequest('own-task') });
    await until(new RegExp(`event: state\\n.*\\n.*${String(own.body['id'])}`));
    expect(text).not.toContain(foreign);
    abort.abort();
  });
});
