import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type StageEvent, stageEvents, type StageRun, TaskResource } from '@sluice/contracts';
import { present } from '@sluice/kernel';
import { consumeRuns, desiredStates, publish, recordConflicts, requestEndpoints } from '@sluice/messaging';
import { testDatabase, type TestDatabase, testNats, waitFor } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { ADMIN_KEY, BUS_KEY, startTestService, type TestService } from './test-service.js';

jest.setTimeout(60_000);

const PASSWORD = 'never-to-be-seen-again';
const KEY_PEM = '-----BEGIN PRIVATE KEY-----\nnever-to-be-seen-either\n-----END PRIVATE KEY-----';

let database: TestDatabase;
let natsUrl: string;
let service: TestService;
/** Runs that the workers of these tests were given; they ack at once and report by `report`. */
const runs: StageRun[] = [];
const stopWorkers = new AbortController();
let workers: Promise<unknown>;

beforeAll(async () => {
  database = await testDatabase();
  natsUrl = (await testNats()).url;
  service = await startTestService({ databaseUrl: database.url, natsUrl });
  const stages = ['connection-test', 'precheck', 'full-load', 'capture', 'apply', 'cleanup'] as const;
  workers = Promise.all(
    stages.map((stage) =>
      consumeRuns(service.bus, {
        stage,
        concurrency: 10,
        signal: stopWorkers.signal,
        handle: async (run, { signal }) => {
          runs.push(run);
          // A worker keeps its run until it has told how it ended.
          await new Promise<void>((resolve) => {
            release.set(run.runId, resolve);
            signal.addEventListener('abort', () => resolve(), { once: true });
          });
        },
      }),
    ),
  );
});
const release = new Map<string, () => void>();

afterAll(async () => {
  stopWorkers.abort();
  for (const done of release.values()) done();
  await workers;
  await service[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

async function call(
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(`${service.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json', ...options.headers },
    ...(options.body !== undefined && {
      body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body),
    }),
  });
  const text = await response.text();
  return { status: response.status, text, body: text === '' ? {} : JSON.parse(text), headers: response.headers };
}

function request(name: string, overrides: Record<string, unknown> = {}): Record<string, unknown> {
  const endpoint = (host: string) => ({ host, port: 5432, database: 'shop', user: 'app', password: PASSWORD });
  return { name, source: endpoint('source.test'), target: endpoint('target.test'), ...overrides };
}

async function create(name: string): Promise<string> {
  const answer = await call('POST', '/api/v1/tasks', { body: request(name) });
  expect(answer.status).toBe(201);
  return String(answer.body['id']);
}

const get = async (id: string): Promise<TaskResource> =>
  TaskResource.parse((await call('GET', `/api/v1/tasks/${id}`)).body);

function untilState(id: string, state: string): Promise<TaskResource> {
  return waitFor(`task in state ${state}`, async () => {
    const task = await get(id);
    return task.state === state && task;
  });
}

async function report(taskId: string, stage: StageRun['stage'], end: Record<string, unknown>): Promise<void> {
  const run = await waitFor(`a run of ${stage}`, async () => {
    const { epoch } = await get(taskId);
    return runs.find((one) => one.task.taskId === taskId && one.stage === stage && one.epoch === epoch);
  });
  const { runId, epoch } = run;
  const head = { version: 1, eventId: randomUUID(), taskId, runId, epoch, stage, worker: 'test' } as const;
  const payload = { ...head, at: new Date().toISOString(), ...end } as StageEvent;
  await publish(service.bus, stageEvents, { params: { taskId }, payload, durable: true });
  if (end['outcome'] !== 'recovering' && end['outcome'] !== 'running') present(release.get(runId), 'worker')();
}

const succeeded = (result: unknown) => ({ outcome: 'succeeded', result });

async function toIncremental(name: string): Promise<string> {
  const id = await create(name);
  expect((await call('POST', `/api/v1/tasks/${id}/start`)).status).toBe(200);
  await report(id, 'connection-test', succeeded({ stage: 'connection-test', report: { passed: true, steps: [] } }));
  await report(id, 'precheck', succeeded({ stage: 'precheck', report: { passed: true, checks: [] } }));
  const loaded = { stage: 'full-load', consistentLsn: '0/1', rows: 1, bytes: 1, tables: 1 };
  await report(id, 'full-load', succeeded(loaded));
  await untilState(id, 'incremental');
  return id;
}

const auditOf = async (objectId: string) =>
  (await service.metadata.audit.list({ projects: 'all', objectId, limit: 50 })).items;

describe('access', () => {
  it.each([
    ['POST', '/api/v1/tasks'],
    ['GET', '/api/v1/tasks'],
    ['GET', '/api/v1/tasks/events'],
    ['GET', `/api/v1/tasks/${randomUUID()}`],
    ['GET', `/api/v1/tasks/${randomUUID()}/events`],
    ['DELETE', `/api/v1/tasks/${randomUUID()}`],
    ['POST', `/api/v1/tasks/${randomUUID()}/start`],
  ])('%s %s needs an API key', async (method, path) => {
    for (const authorization of ['', 'Bearer wrong', `Basic ${ADMIN_KEY}`]) {
      const answer = await call(method, path, { headers: { authorization } });
      expect([answer.status, answer.body['code']]).toEqual([401, 'SLUICE-6005']);
    }
  });

  it('refuses to free WAL once the bus has it while a single server keeps the streams', async () => {
    const answer = await call('POST', '/api/v1/tasks', {
      body: request('too-bold', { incremental: { confirm: 'stored' } }),
    });
    expect([answer.status, answer.body['code']]).toEqual([422, 'SLUICE-4007']);
  });

  it('shows the OpenAPI document and the links to everybody', async () => {
    const document = await call('GET', '/api/v1/openapi.json', { headers: { authorization: '' } });
    expect(document.body['openapi']).toBe('3.1.0');
    expect(Object.keys(document.body['paths'] as object)).toContain('/tasks/{id}/pause');
    expect((await call('GET', '/', { headers: { authorization: '' } })).status).toBe(200);
  });
});

describe('creating a task', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['a name that is too short', { name: 'abc' }, 'name'],
    ['a name that begins with a digit', { name: '1abcd' }, 'name'],
    ['a description with a quote', { description: `it's` }, 'description'],
    ['an unknown field', { tags: [] }, ''],
    ['an unknown synchronization type', { syncType: 'both' }, 'syncType'],
    ['a port out of range', { source: { ...(request('x')['source'] as object), port: 70_000 } }, 'source.port'],
    [
      'a password that is no text',
      { source: { ...(request('x')['source'] as object), password: 4711 } },
      'source.password',
    ],
    [
      'a certificate that is no PEM',
      { target: { ...(request('x')['target'] as object), tls: { mode: 'verify-full', ca: PASSWORD } } },
      'target.tls.ca',
    ],
    ['a missing side', { target: undefined }, 'target'],
  ])('refuses %s, names the field and repeats no value', async (_, overrides, path) => {
    const answer = await call('POST', '/api/v1/tasks', { body: request('valid-name', overrides) });
    expect([answer.status, answer.body['code']]).toEqual([400, 'SLUICE-6001']);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect((answer.body['errors'] as { path: string }[])[0]?.path).toBe(path);
    expect(answer.text).not.toMatch(/never-to-be-seen|4711/);
  });

  it('refuses a body that is no JSON without repeating it, and one that is too large', async () => {
    const broken = await call('POST', '/api/v1/tasks', { body: `{"password": ${PASSWORD}` });
    expect([broken.status, broken.body['code']]).toEqual([400, 'SLUICE-6001']);
    expect(broken.text).not.toContain('never');
    const large = await call('POST', '/api/v1/tasks', {
      body: request('large', { description: 'x'.repeat(2_200_000) }),
    });
    expect([large.status, large.body['code']]).toEqual([413, 'SLUICE-6007']);
  });

  it('never shows a secret again', async () => {
    const source = { ...(request('x')['source'] as object), tls: { mode: 'verify-full', cert: KEY_PEM, key: KEY_PEM } };
    const created = await call('POST', '/api/v1/tasks', { body: request('secretive', { source }) });
    expect(created.status).toBe(201);
    expect(TaskResource.parse(created.body)).toMatchObject({
      state: 'configuring',
      source: { host: 'source.test', port: 5432, database: 'shop', user: 'app', tlsMode: 'verify-full' },
    });
    const location = present(created.headers.get('location'), 'location');
    for (const answer of [created, await call('GET', location), await call('GET', '/api/v1/tasks')]) {
      expect(answer.text).not.toContain('never-to-be-seen');
    }
  });

  it('refuses a name that is taken, compared case-insensitively', async () => {
    await create('taken-name');
    const answer = await call('POST', '/api/v1/tasks', { body: request('Taken-NAME') });
    expect([answer.status, answer.body['code']]).toEqual([409, 'SLUICE-6004']);
  });

  it('answers a repeated request with the same Idempotency-Key with the same task', async () => {
    const headers = { 'idempotency-key': 'once' };
    const first = await call('POST', '/api/v1/tasks', { body: request('only-once'), headers });
    const second = await call('POST', '/api/v1/tasks', { body: request('only-once'), headers });
    expect(second.body['id']).toBe(first.body['id']);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
  });
});

describe('actions', () => {
  it('answers an unknown task, id and action with 404', async () => {
    for (const path of [`${randomUUID()}/start`, 'no-uuid/start', `${randomUUID()}/explode`]) {
      const answer = await call('POST', `/api/v1/tasks/${path}`);
      expect([answer.status, answer.body['code']]).toEqual([404, 'SLUICE-6002']);
    }
    expect((await call('GET', '/api/v1/nothing')).body['code']).toBe('SLUICE-6002');
  });

  it('refuses what the state does not allow, with the reason and what is allowed', async () => {
    const id = await create('refusing');
    const answer = await call('POST', `/api/v1/tasks/${id}/pause`);
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({
      code: 'SLUICE-6003',
      detail: 'pause in state configuring: the task has not been started',
      allowedActions: ['start', 'set_rate_limit', 'end', 'delete'],
    });
    expect((await call('POST', `/api/v1/tasks/${id}/end`, { body: { untilLsn: 'x' } })).status).toBe(400);
    expect((await call('POST', `/api/v1/tasks/${id}/start`, { body: { force: true } })).status).toBe(400);
  });

  it('lets one of two that come at once win', async () => {
    const id = await create('racing');
    const answers = await Promise.all([
      call('POST', `/api/v1/tasks/${id}/start`),
      call('POST', `/api/v1/tasks/${id}/start`),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it('drives a task through its life, with the workers over the bus', async () => {
    const id = await toIncremental('whole-life');
    expect((await desiredStates(service.bus).get(id))?.desired).toBe('running');
    await call('POST', `/api/v1/tasks/${id}/end`, { body: { untilLsn: '0/FF' } });
    await waitFor('the order to end', async () => (await desiredStates(service.bus).get(id))?.untilLsn === '0/FF');
    await report(id, 'capture', succeeded({ stage: 'capture', publishedLsn: '0/FF' }));
    await report(id, 'apply', succeeded({ stage: 'apply', appliedLsn: '0/FF' }));
    await report(id, 'cleanup', succeeded({ stage: 'cleanup' }));
    await untilState(id, 'ended');
    expect((await requestEndpoints(service.bus, id, { service: 'test', busKey: BUS_KEY })).source.password).toBe(
      PASSWORD,
    );
    expect((await call('DELETE', `/api/v1/tasks/${id}`)).status).toBe(204);
    expect((await call('GET', `/api/v1/tasks/${id}`)).status).toBe(404);
    await expect(requestEndpoints(service.bus, id, { service: 'test', busKey: BUS_KEY })).rejects.toMatchObject({
      code: 'SLUICE-6002',
    });
    await waitFor('the desired state to be gone', async () => (await desiredStates(service.bus).get(id)) === null);
    const audit = await auditOf(id);
    expect(audit.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'delete done',
      'end done',
      'start done',
      'create done',
    ]);
  });

  it('is recovering while a worker says so', async () => {
    const id = await toIncremental('recovering-task');
    const error = { code: 'SLUICE-1012', detail: 'connection lost', remedy: 'wait' };
    await report(id, 'apply', { outcome: 'recovering', error, attempt: 1 });
    expect((await untilState(id, 'recovering')).error).toEqual(error);
    await report(id, 'apply', { outcome: 'running' });
    await untilState(id, 'incremental');
  });
});

describe('a DDL that stopped a task', () => {
  const evidence = { commitLsn: '0/ABC', number: '2', statement: 'ALTER TABLE t DROP COLUMN v' };
  const error = { code: 'SLUICE-5013', detail: 'refused', remedy: 'decide', evidence };
  const decision = { commitLsn: '0/ABC', number: 2, decision: 'replace', statement: 'SELECT 1' };
  const decide = (id: string, body: unknown) => call('POST', `/api/v1/tasks/${id}/ddl-decisions`, { body });

  it('is decided on, once it is the one that waits, and retried with the decision', async () => {
    const id = await toIncremental('ddl-decided');
    expect((await decide(id, decision)).status).toBe(409);
    await report(id, 'apply', { outcome: 'failed', error });
    expect((await untilState(id, 'incremental_failed')).error).toEqual(error);
    expect((await decide(id, { ...decision, number: 1 })).body).toMatchObject({ status: 409, code: 'SLUICE-6003' });
    expect((await decide(id, { ...decision, commitLsn: '0/ABD' })).status).toBe(409);
    expect((await decide(id, { ...decision, statement: undefined })).status).toBe(400);
    expect((await decide(id, { commitLsn: '0/ABC', number: 2, decision: 'skip' })).status).toBe(200);
    expect((await decide(id, decision)).status).toBe(200);
    await call('POST', `/api/v1/tasks/${id}/retry`);
    await waitFor('a run that knows the decision', () =>
      runs.some(({ task, stage }) => task.taskId === id && stage === 'apply' && task.ddlDecisions.length > 0),
    );
    const run = runs.findLast(({ task, stage }) => task.taskId === id && stage === 'apply');
    expect(run?.task.ddlDecisions).toEqual([decision]);
    const audit = await auditOf(id);
    expect(audit.map(({ action, outcome }) => `${action} ${outcome}`)).toContain('decide DDL: replace done');
    expect(audit.map(({ action, outcome }) => `${action} ${outcome}`)).toContain('decide DDL: replace SLUICE-6003');
  });

  it('is not decided on in another state, or for a task that is not there', async () => {
    const id = await toIncremental('ddl-not-failed');
    await report(id, 'apply', { outcome: 'failed', error: { ...error, code: 'SLUICE-5001' } });
    await untilState(id, 'incremental_failed');
    expect((await decide(id, decision)).status).toBe(409);
    expect((await decide(randomUUID(), decision)).status).toBe(404);
    expect((await decide('x', decision)).status).toBe(404);
  });
});

describe('live events', () => {
  it('begin with the task as it is, and tell a change of state', async () => {
    const id = await create('followed');
    const abort = new AbortController();
    const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'last-event-id': 'whatever' };
    const response = await fetch(`${service.url}/api/v1/tasks/${id}/events`, { headers, signal: abort.signal });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const reader = present(response.body, 'body').pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const until = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text)) text += (await reader.read()).value ?? '';
    };
    await until(/event: task\ndata: \{.*"state":"configuring"/);
    await call('POST', `/api/v1/tasks/${id}/start`);
    await until(/event: state\nid: [0-9a-f-]{36}\ndata: \{.*"from":"configuring","to":"starting"/);
    expect(text).not.toContain('never-to-be-seen');
    abort.abort();
  });
});

describe('a restart', () => {
  it('keeps every task, and what was on its way goes on', async () => {
    const id = await create('survivor');
    const before = (await call('GET', '/api/v1/tasks?limit=200')).text;
    const other = await startTestService({ databaseUrl: database.url, natsUrl });
    const kept = await fetch(`${other.url}/api/v1/tasks?limit=200`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    expect(JSON.parse(await kept.text())).toEqual(JSON.parse(before));
    await other[Symbol.asyncDispose]();
    await call('POST', `/api/v1/tasks/${id}/start`);
    await report(id, 'connection-test', succeeded({ stage: 'connection-test', report: { passed: true, steps: [] } }));
    await waitFor('the precheck to be given out', () =>
      runs.some((run) => run.task.taskId === id && run.stage === 'precheck'),
    );
  });

  it('keeps conflicts once, lists them by filters and pages, with rows when asked, and forgets them with their task', async () => {
    const taskId = await create('with-conflicts');
    const conflicts = Array.from({ length: 5 }, (_, index) => ({
      conflictId: randomUUID(),
      taskId,
      at: `2026-01-0${index + 1}T00:00:00.000001Z`,
      commitLsn: '0/AB',
      changeNumber: index,
      table: { schema: 'public', name: index < 2 ? 'a.b' : 'c' },
      operation: index === 0 ? ('delete' as const) : ('insert' as const),
      kind: index === 0 ? ('missing_row' as const) : ('duplicate_key' as const),
      constraint: index === 0 ? null : 'c_pkey',
      action: index === 4 ? ('overwritten' as const) : ('ignored' as const),
      key: { z: '1', a: null },
      sourceRow: index === 0 ? null : { z: '1', a: 'x' },
      targetRows: index === 0 ? [] : [{ z: '1', a: 'y' }],
    }));
    await recordConflicts(service.bus, taskId, conflicts.slice(0, 3));
    await recordConflicts(service.bus, taskId, conflicts);
    const path = `/api/v1/tasks/${taskId}/conflicts`;
    const numbers = async (query: string): Promise<unknown> => {
      const { body } = await call('GET', `${path}?${query}`);
      return z
        .array(z.object({ changeNumber: z.number() }))
        .parse(body['items'])
        .map((one) => one.changeNumber);
    };
    expect(await numbers('')).toEqual([4, 3, 2, 1, 0]);
    expect(await numbers('schema=public&table=a.b')).toEqual([1, 0]);
    expect(await numbers('kind=missing_row')).toEqual([0]);
    expect(await numbers('action=overwritten')).toEqual([4]);
    expect(await numbers('operation=insert&from=2026-01-03T00:00:00Z&to=2026-01-05T01:00:00%2B01:00')).toEqual([3, 2]);
    const first = await call('GET', `${path}?limit=3`);
    expect(first.body['items']).not.toContainEqual(expect.objectContaining({ targetRows: expect.anything() }));
    expect(await numbers(`limit=3&cursor=${String(first.body['nextCursor'])}`)).toEqual([1, 0]);
    const withRows = await call('GET', `${path}?rows=true`);
    expect(withRows.body).toEqual({
      items: conflicts.toReversed().map((one) => ({ ...one, at: one.at.replace('.000001Z', '.000Z') })),
      nextCursor: null,
    });
    expect(Object.keys(conflicts[1]?.sourceRow ?? {})).toEqual(['z', 'a']);
    expect((await call('GET', `${path}?rows=true&limit=100`)).status).toBe(400);
    expect((await call('GET', `/api/v1/tasks/${randomUUID()}/conflicts`)).status).toBe(404);
    expect((await call('DELETE', `/api/v1/tasks/${taskId}`)).status).toBe(204);
    await recordConflicts(service.bus, taskId, conflicts);
    expect((await call('GET', path)).status).toBe(404);
  });
});
