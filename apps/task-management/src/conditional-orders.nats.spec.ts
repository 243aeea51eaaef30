import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { testDatabase, type TestDatabase, testNats } from '@sluice/testing';
import { type Answer, type Call, taskRequest, testClient } from './test-client.js';
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

async function create(name: string): Promise<{ path: string; tag: string }> {
  const created = await call('POST', '/tasks', { body: taskRequest(name) });
  return { path: `/tasks/${String(created.body['id'])}`, tag: tagOf(created) };
}

const tagOf = ({ headers }: Answer): string => headers.get('etag') ?? 'none';
const ifMatch = (tag: string) => ({ headers: { 'if-match': tag } });

describe('an order with If-Match', () => {
  it('is carried out at the revision that it names, and answers with the next one', async () => {
    const { path, tag } = await create('conditional');
    expect(tag).toBe('"1"');
    expect(tagOf(await call('GET', path))).toBe(tag);
    const started = await call('POST', `${path}/start`, ifMatch(`"999", ${tag}`));
    expect([started.status, tagOf(started), started.body['revision']]).toEqual([200, '"2"', 2]);
  });

  it('is refused at another revision, and changes nothing', async () => {
    const { path, tag } = await create('moved-on');
    const started = await call('POST', `${path}/start`);
    const decision = { commitLsn: '0/1', number: 1, decision: 'skip' };
    const late = [
      await call('POST', `${path}/end`, ifMatch(tag)),
      await call('POST', `${path}/ddl-decisions`, { body: decision, ...ifMatch(tag) }),
    ];
    for (const { status, body } of late) expect([status, body['code']]).toEqual([412, 'SLUICE-6013']);
    expect((await call('GET', path)).body['state']).toBe(started.body['state']);

    const other = await create('not-deleted');
    expect((await call('DELETE', other.path, ifMatch('"2"'))).status).toBe(412);
    expect((await call('GET', other.path)).status).toBe(200);
    expect((await call('DELETE', other.path, ifMatch(other.tag))).status).toBe(204);
  });

  it('is one of two that were decided on the same revision', async () => {
    const { path, tag } = await create('two-deciders');
    const answers = await Promise.all([
      call('POST', `${path}/start`, ifMatch(tag)),
      call('POST', `${path}/end`, ifMatch(tag)),
    ]);
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 412]);
  });

  it('is refused with a header of another form', async () => {
    const { path } = await create('malformed');
    expect((await call('POST', `${path}/start`, ifMatch('1'))).body).toMatchObject({
      status: 400,
      code: 'SLUICE-6001',
    });
    expect((await call('POST', `${path}/start`, ifMatch('*'))).status).toBe(200);
  });
});

describe('reading a task', () => {
  it('is answered in full, as its live numbers have no revision', async () => {
    const { path, tag } = await create('in-full');
    const again = await call('GET', path, { headers: { 'if-none-match': tag } });
    expect([again.status, again.body['name']]).toEqual([200, 'in-full']);
  });
});
