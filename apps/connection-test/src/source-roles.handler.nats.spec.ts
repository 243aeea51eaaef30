import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type SourceRoleList, sourceRolesQuestion } from '@sluice/contracts';
import { Secret } from '@sluice/kernel';
import { ask, type Bus, connectBus, serveCredentials, serveRequests } from '@sluice/messaging';
import { type Endpoint } from '@sluice/postgres-client';
import { type RuntimeContext } from '@sluice/service-runtime';
import { createLogger } from '@sluice/telemetry';
import { testDatabase, type TestDatabase, testNats } from '@sluice/testing';
import { randomBytes, randomUUID } from 'node:crypto';
import { type z } from 'zod';
import { type ConnectionTestConfig } from './connection-test.config.js';
import { QuestionPlaces } from './question-places.js';
import { SourceRolesHandler } from './source-roles.handler.js';

const log = createLogger({ service: 'spec', level: 'silent' });
const BUS_KEY = new Secret(randomBytes(32).toString('base64'));
/** Roles belong to the whole server, which other tests use, too. */
const PREFIX = `spec_${randomBytes(4).toString('hex')}`;

describe('SourceRolesHandler', () => {
  const taskId = randomUUID();
  const stop = new AbortController();
  let bus: Bus;
  let source: TestDatabase;
  let target: TestDatabase;
  let endpoints: { source: Endpoint; target: Endpoint };

  beforeAll(async () => {
    bus = await connectBus({ servers: (await testNats()).url, name: 'spec', log });
    source = await testDatabase({ major: 15 });
    target = await testDatabase({ major: 18 });
    await source.query(`
      CREATE ROLE ${PREFIX}_a LOGIN CONNECTION LIMIT 2; CREATE ROLE ${PREFIX}_b; CREATE ROLE ${PREFIX}_c;
      GRANT ${PREFIX}_b TO ${PREFIX}_a; GRANT pg_monitor TO ${PREFIX}_a`);
    await target.query(`CREATE ROLE ${PREFIX}_c`);
    const account = await target.createRole('CREATEROLE');
    endpoints = { source: source.endpoint, target: account };
    const plain = (endpoint: Endpoint) => ({
      ...endpoint,
      password: endpoint.password.reveal(),
      tls: { mode: 'disable' as const },
    });
    const lookup = async (id: string) =>
      id === taskId ? { source: plain(endpoints.source), target: plain(endpoints.target) } : null;
    serveCredentials(bus, { busKey: BUS_KEY, lookup, signal: stop.signal });
    const config = { SLUICE_BUS_KEY: BUS_KEY, SLUICE_CONNECTION_TEST_CONCURRENCY: 1 };
    const runtime = { bus, config, service: 'connection-test', log } as RuntimeContext<ConnectionTestConfig>;
    const handler = new SourceRolesHandler(runtime, new QuestionPlaces(runtime));
    serveRequests(bus, sourceRolesQuestion, { handle: (message) => handler.handle(message), signal: stop.signal });
  });
  afterAll(async () => {
    stop.abort();
    await source.query(`DROP ROLE IF EXISTS ${PREFIX}_a, ${PREFIX}_b, ${PREFIX}_c`);
    await target.query(`DROP ROLE IF EXISTS ${PREFIX}_c`);
    await source[Symbol.asyncDispose]();
    await target[Symbol.asyncDispose]();
    await bus.close();
  });

  const wishes = { passwords: true, privileges: true };
  const list = (asked: Partial<z.input<typeof sourceRolesQuestion.asked>> = {}, id = taskId): Promise<SourceRoleList> =>
    ask(bus, sourceRolesQuestion, { taskId: id, asked: { wishes, search: PREFIX.toUpperCase(), ...asked } });

  it('says of each role whether it can come, and why not', async () => {
    const { items, nextCursor } = await list();
    expect(nextCursor).toBeNull();
    expect(items).toEqual([
      {
        name: `${PREFIX}_a`,
        canSync: false,
        obstacles: [{ kind: 'superuser_grantor', reason: expect.stringContaining('pg_monitor') }],
        attributes: ['LOGIN', 'CONNECTION LIMIT 2'],
        memberOf: ['pg_monitor', `${PREFIX}_b`],
      },
      { name: `${PREFIX}_b`, canSync: true, obstacles: [], attributes: ['NOLOGIN'], memberOf: [] },
      {
        name: `${PREFIX}_c`,
        canSync: false,
        obstacles: [{ kind: 'exists_on_target', reason: expect.any(String) }],
        attributes: ['NOLOGIN'],
        memberOf: [],
      },
    ]);
    const [first] = (await list({ wishes: { passwords: true, privileges: false } })).items;
    expect(first?.canSync).toBe(true);
  });

  it('pages by name', async () => {
    const pages: string[][] = [];
    let cursor: string | undefined;
    do {
      const page = await list({ limit: 2, cursor });
      pages.push(page.items.map(({ name }) => name));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(pages).toEqual([[`${PREFIX}_a`, `${PREFIX}_b`], [`${PREFIX}_c`]]);
    await expect(list({ cursor: 'made-up' })).rejects.toMatchObject({ code: 'SLUICE-6001' });
  });

  it('tells why it could not look', async () => {
    await expect(list({}, randomUUID())).rejects.toMatchObject({ code: 'SLUICE-6002' });
    const right = endpoints;
    endpoints = { ...right, target: { ...right.target, password: new Secret('wrong') } };
    await expect(list()).rejects.toMatchObject({ code: 'SLUICE-1005' });
    endpoints = right;
    expect((await list()).items).toHaveLength(3);
  });
});
