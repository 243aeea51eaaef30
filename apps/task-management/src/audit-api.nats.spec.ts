import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { AuditEventList, type AuditEvent, type Role } from '@sluice/contracts';
import { testDatabase, type TestDatabase, testNats } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { type Call, taskRequest, testClient } from './test-client.js';
import { ADMIN_KEY, startTestService, type TestService } from './test-service.js';

jest.setTimeout(60_000);

const SECRET = 'never-in-the-audit';

let database: TestDatabase;
let service: TestService;
let root: Call;

beforeAll(async () => {
  database = await testDatabase();
  service = await startTestService({ databaseUrl: database.url, natsUrl: (await testNats()).url });
  root = testClient(service.url, ADMIN_KEY);
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function createProject(): Promise<string> {
  return String((await root('POST', '/projects', { body: { name: `p${randomUUID()}` } })).body['id']);
}

async function createKey(role: Role, projectId: string): Promise<{ id: string; use: Call }> {
  const scope = { kind: 'projects', projects: [{ projectId, role }] };
  const { body } = await root('POST', '/api-keys', { body: { name: `the ${role}`, scope } });
  return { id: String(body['id']), use: testClient(service.url, String(body['secret'])) };
}

async function createTask(call: Call, name: string): Promise<string> {
  return String((await call('POST', '/tasks', { body: taskRequest(name) })).body['id']);
}

const events = async (query: string, call = root): Promise<AuditEvent[]> => {
  const answer = await call('GET', `/audit-events?${query}`);
  expect(answer.status).toBe(200);
  expect(answer.text).not.toContain(SECRET);
  return AuditEventList.parse(answer.body).items;
};

const brief = ({ action, outcome }: AuditEvent): string => `${action} ${outcome}`;

describe('the audit', () => {
  it('tells who did what to what, with which role, from where, in which trace, and what it was before', async () => {
    const projectId = await createProject();
    const { id: keyId, use } = await createKey('operator', projectId);
    const source = { host: SECRET, port: 5432, database: 'd', user: SECRET, password: SECRET };
    const created = await use('POST', '/tasks', { body: taskRequest('told-of', { source, description: 'why' }) });
    const id = String(created.body['id']);
    await use('POST', `/tasks/${id}/start`);
    const [started, made] = await events(`objectId=${id}`);
    const who = { actor: 'the operator', keyId, role: 'operator', projectId, outcome: 'done' };
    const object = { kind: 'task', id, name: 'told-of' };
    expect(made).toMatchObject({ ...who, action: 'create', object, before: null });
    expect(made?.after).toMatchObject({ description: 'why', syncType: 'full_and_incremental', state: 'configuring' });
    expect(started).toMatchObject({
      ...who,
      action: 'start',
      object,
      before: { state: 'configuring', epoch: 0 },
      after: { state: 'starting', epoch: 1 },
    });
    expect(started?.address).toMatch(/127\.0\.0\.1/);
  });

  it('has what was refused, too: for want of a role, by the state, by a name, and of what the key does not see', async () => {
    const projectId = await createProject();
    const { use: operate } = await createKey('operator', projectId);
    const { use: view } = await createKey('viewer', projectId);
    const id = await createTask(operate, 'refusing');
    await view('POST', `/tasks/${id}/start`);
    await operate('DELETE', `/tasks/${id}`);
    await operate('POST', `/tasks/${id}/pause`);
    await operate('POST', `/tasks/${id}/ddl-decisions`, { body: { commitLsn: '0/1', number: 1, decision: 'skip' } });
    expect((await events(`objectId=${id}`)).map(brief)).toEqual([
      'decide DDL: skip SLUICE-6003',
      'pause SLUICE-6003',
      'delete SLUICE-6012',
      'start SLUICE-6012',
      'create done',
    ]);
    const [byViewer] = await events(`objectId=${id}&actor=the viewer`);
    expect(byViewer).toMatchObject({ role: 'viewer', projectId, object: { kind: 'task', id, name: 'refusing' } });
    await operate('POST', '/tasks', { body: taskRequest('Refusing') });
    const [taken] = await events(`projectId=${projectId}`);
    expect(taken).toMatchObject({ outcome: 'SLUICE-6004', object: { kind: 'task', id: null, name: 'Refusing' } });

    const { use: stranger } = await createKey('admin', await createProject());
    await stranger('DELETE', `/tasks/${id}`);
    const [unseen] = await events(`objectId=${id}`);
    // Of a caller from elsewhere the project learns nothing; the deployment does.
    expect(unseen).toMatchObject({ action: 'delete', outcome: 'SLUICE-6002', projectId: null });
    expect((await events(`projectId=${projectId}`)).map(({ outcome }) => outcome)).not.toContain('SLUICE-6002');
  });

  it('has no row of what was only read, or could not be read', async () => {
    const { use, id: keyId } = await createKey('operator', await createProject());
    const id = await createTask(use, 'only-read');
    await use('GET', `/tasks/${id}`);
    await use('POST', `/tasks/${id}/start`, { body: { force: true } });
    expect((await events('actor=the operator')).filter((one) => one.keyId === keyId).map(brief)).toEqual([
      'create done',
    ]);
  });

  it('has the keys and the projects, and what they were', async () => {
    const projectId = await createProject();
    const { id } = await createKey('admin', projectId);
    await root('POST', `/api-keys/${id}/revoke`);
    const [revoked, created] = await events(`objectKind=api-key&projectId=${projectId}`);
    const scope = { kind: 'projects', projects: [{ projectId, role: 'admin' }] };
    expect(created).toMatchObject({ action: 'create', role: 'deployment', after: { scope, expiresAt: null } });
    expect(revoked).toMatchObject({ action: 'revoke', object: { kind: 'api-key', id, name: 'the admin' } });
    await root('PATCH', `/projects/${projectId}`, { body: { name: `q${projectId}` } });
    const [renamed] = await events(`objectKind=project&projectId=${projectId}&action=rename`);
    expect(renamed).toMatchObject({ before: { name: expect.stringMatching(/^p/) }, after: { name: `q${projectId}` } });
  });

  it('is read by the admins of a project, as far as it is of their project', async () => {
    const [own, other] = [await createProject(), await createProject()];
    const { use } = await createKey('admin', own);
    await createTask(use, 'own-task');
    await createTask((await createKey('admin', other)).use, 'other-task');
    const seen = await events('limit=200', use);
    expect(new Set(seen.map(({ projectId }) => projectId))).toEqual(new Set([own]));
    expect(seen.map(brief)).toEqual(['create done', 'create done', 'create done']);
    expect(await events(`projectId=${other}`, use)).toEqual([]);
  });

  it('pages newest first, and by time', async () => {
    const projectId = await createProject();
    const { use } = await createKey('admin', projectId);
    for (const name of ['page-one', 'page-two', 'page-three']) await createTask(use, name);
    const first = await root('GET', `/audit-events?projectId=${projectId}&objectKind=task&limit=2`);
    const names = (items: AuditEvent[]): unknown[] => items.map(({ object }) => object.name);
    const page = AuditEventList.parse(first.body);
    expect(names(page.items)).toEqual(['page-three', 'page-two']);
    const rest = await events(`projectId=${projectId}&objectKind=task&cursor=${page.nextCursor ?? ''}`);
    expect(names(rest)).toEqual(['page-one']);
    const at = encodeURIComponent(page.items[1]?.at ?? '');
    expect(names(await events(`projectId=${projectId}&objectKind=task&from=${at}`))).toContain('page-two');
    expect(names(await events(`projectId=${projectId}&objectKind=task&to=${at}`))).not.toContain('page-two');
    expect((await root('GET', '/audit-events?from=yesterday')).status).toBe(400);
  });

  it('cannot be changed, removed or emptied in the database', async () => {
    await createProject();
    for (const statement of ['UPDATE %t SET actor = $$x$$', 'DELETE FROM %t', 'TRUNCATE %t'])
      await expect(database.query(statement.replace('%t', 'sluice_control.audit_events'))).rejects.toThrow(
        'append-only',
      );
  });
});
