import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApiKeyResource, CreatedApiKey, type Role } from '@sluice/contracts';
import { testDatabase, type TestDatabase, testNats } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { type Call, testClient } from './test-client.js';
import { ADMIN_KEY, startTestService, type TestService } from './test-service.js';

jest.setTimeout(60_000);

let database: TestDatabase;
let service: TestService;
let admin: Call;

beforeAll(async () => {
  database = await testDatabase();
  service = await startTestService({ databaseUrl: database.url, natsUrl: (await testNats()).url });
  admin = testClient(service.url, ADMIN_KEY);
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function createProject(): Promise<string> {
  return String((await admin('POST', '/projects', { body: { name: `p${randomUUID()}` } })).body['id']);
}

const inProjects = (role: Role, ...ids: readonly string[]) => ({
  kind: 'projects',
  projects: ids.map((projectId) => ({ projectId, role })),
});

async function createKey(scope: object, more: object = {}): Promise<CreatedApiKey & { use: Call }> {
  const answer = await admin('POST', '/api-keys', { body: { name: 'a key', scope, ...more } });
  expect(answer.status).toBe(201);
  const key = CreatedApiKey.parse(answer.body);
  return { ...key, use: testClient(service.url, key.secret ?? '') };
}

const auditOf = async (objectId: string) =>
  (await service.metadata.audit.list({ projects: 'all', objectId, limit: 50 })).items;

describe('an API key', () => {
  it('shows its secret once, and is stored without it', async () => {
    const { id, secret } = await createKey(inProjects('viewer', await createProject()));
    expect(secret).toMatch(/^slk_[\w-]{43}$/);
    for (const path of ['/api-keys', `/api-keys/${id}`]) expect((await admin('GET', path)).text).not.toContain(secret);
    const tables = await database.query(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'sluice_control'`,
    );
    for (const { name } of tables) {
      const rows = await database.query(`SELECT t::text AS text FROM sluice_control."${String(name)}" t`);
      for (const { text } of rows) expect(String(text)).not.toContain(secret);
    }
  });

  it('is created once per Idempotency-Key; the repetition does not know the secret', async () => {
    const body = { name: 'once', scope: inProjects('viewer', await createProject()) };
    const headers = { 'idempotency-key': randomUUID() };
    const [first, second] = [
      await admin('POST', '/api-keys', { body, headers }),
      await admin('POST', '/api-keys', { body, headers }),
    ];
    expect(second.body).toEqual({ ...first.body, secret: null });
    expect(second.headers.get('idempotent-replayed')).toBe('true');
  });

  it('is refused with a code of its own once it is revoked, and stays in the list', async () => {
    const { id, use } = await createKey(inProjects('viewer', await createProject()));
    expect((await use('GET', '/tasks')).status).toBe(200);
    const revoked = ApiKeyResource.parse((await admin('POST', `/api-keys/${id}/revoke`)).body);
    expect(revoked.status).toBe('revoked');
    const refused = await use('GET', '/tasks');
    expect([refused.status, refused.body['code']]).toEqual([401, 'SLUICE-6011']);
    expect((await admin('POST', `/api-keys/${id}/revoke`)).body).toEqual(revoked);
    expect((await admin('GET', `/api-keys/${id}`)).body).toEqual(revoked);
    const audit = await auditOf(id);
    expect(audit.map(({ action }) => action)).toEqual(['revoke', 'create']);
  });

  it('is refused with a code of its own once it has expired', async () => {
    const past = await admin('POST', '/api-keys', {
      body: { name: 'late', scope: { kind: 'deployment' }, expiresAt: '2026-01-01T00:00:00Z' },
    });
    expect([past.status, past.body['detail']]).toEqual([400, 'expiresAt: must be in the future']);
    const expiresAt = '2099-01-01T00:00:00.000Z';
    const { id, use, expiresAt: shown } = await createKey({ kind: 'deployment' }, { expiresAt });
    expect(shown).toBe(expiresAt);
    expect((await use('GET', '/tasks')).status).toBe(200);
    await database.query(`UPDATE sluice_control.api_keys SET expires_at = now() WHERE id = '${id}'`);
    const refused = await use('GET', '/tasks');
    expect([refused.status, refused.body['code']]).toEqual([401, 'SLUICE-6010']);
    expect((await admin('GET', `/api-keys/${id}`)).body['status']).toBe('expired');
  });

  it('notes when it was used, at most once a minute', async () => {
    const { id, use } = await createKey(inProjects('viewer', await createProject()));
    const lastUsed = async (): Promise<unknown> => (await admin('GET', `/api-keys/${id}`)).body['lastUsedAt'];
    expect(await lastUsed()).toBeNull();
    await use('GET', '/tasks');
    const first = await lastUsed();
    expect(first).toEqual(expect.any(String));
    await use('GET', '/tasks');
    expect(await lastUsed()).toBe(first);
    const age = (seconds: number): Promise<unknown> =>
      database.query(
        `UPDATE sluice_control.api_keys SET last_used_at = now() - interval '${seconds} s' WHERE id = '${id}'`,
      );
    await age(50);
    const recent = await lastUsed();
    await use('GET', '/tasks');
    expect(await lastUsed()).toBe(recent);
    await age(61);
    const old = await lastUsed();
    await use('GET', '/tasks');
    expect(await lastUsed()).not.toBe(old);
  });

  it.each([
    ['no project', { name: 'x', scope: { kind: 'projects', projects: [] } }, 'scope.projects'],
    [
      'a role that does not exist',
      { name: 'x', scope: inProjects('owner' as Role, randomUUID()) },
      'scope.projects.0.role',
    ],
    ['a field that does not exist', { name: 'x', scope: { kind: 'deployment', role: 'admin' } }, 'scope'],
    ['an empty name', { name: '', scope: { kind: 'deployment' } }, 'name'],
  ])('is not created with %s', async (_, body, path) => {
    const answer = await admin('POST', '/api-keys', { body });
    expect(answer.body).toMatchObject({ status: 400, code: 'SLUICE-6001', errors: [{ path }] });
  });
});

describe('the admin key of a project', () => {
  it('gives away no more than it has', async () => {
    const [own, other] = [await createProject(), await createProject()];
    const { use } = await createKey(inProjects('admin', own));
    const create = async (scope: object): Promise<unknown[]> => {
      const { status, body } = await use('POST', '/api-keys', { body: { name: 'x', scope } });
      return [status, body['code']];
    };
    expect(await create(inProjects('admin', own))).toEqual([201, undefined]);
    expect(await create(inProjects('viewer', other))).toEqual([404, 'SLUICE-6002']);
    expect(await create(inProjects('viewer', own, other))).toEqual([404, 'SLUICE-6002']);
    expect(await create(inProjects('viewer', randomUUID()))).toEqual([404, 'SLUICE-6002']);
    expect(await create({ kind: 'deployment' })).toEqual([403, 'SLUICE-6012']);
  });

  it('manages the keys all of whose projects it administers', async () => {
    const [own, other] = [await createProject(), await createProject()];
    const { id, use } = await createKey(inProjects('admin', own));
    const mine = await createKey(inProjects('viewer', own));
    const shared = await createKey(inProjects('viewer', own, other));
    const wide = await createKey({ kind: 'deployment' });
    const list = await use('GET', '/api-keys');
    const ids = ApiKeyResource.array()
      .parse(list.body['items'])
      .map((key) => key.id);
    expect(ids).toEqual([mine.id, id]);
    for (const hidden of [shared, wide]) {
      expect((await use('GET', `/api-keys/${hidden.id}`)).status).toBe(404);
      expect((await use('POST', `/api-keys/${hidden.id}/revoke`)).status).toBe(404);
    }
    expect((await use('POST', `/api-keys/${mine.id}/revoke`)).status).toBe(200);
  });

  it('loses what it had with the project', async () => {
    const own = await createProject();
    const { id, use } = await createKey(inProjects('admin', own));
    expect((await admin('DELETE', `/projects/${own}`)).status).toBe(204);
    expect((await use('GET', '/tasks')).status).toBe(403);
    expect((await admin('GET', `/api-keys/${id}`)).body['scope']).toEqual({ kind: 'projects', projects: [] });
  });
});
