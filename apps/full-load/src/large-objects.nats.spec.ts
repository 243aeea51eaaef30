import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  helperObjectName,
  type Stage,
  type StageEvent,
  stageEvents,
  type TaskSpec,
  DEFAULT_INCREMENTAL_OPTIONS,
  DEFAULT_USER_OPTIONS,
  EVERYTHING,
} from '@sluice/contracts';
import { Secret } from '@sluice/kernel';
import { type Bus, connectBus, consumeEvents, desiredStates, publishRun, serveCredentials } from '@sluice/messaging';
import { createLogger } from '@sluice/telemetry';
import { testDatabase, type TestDatabase, testNats, waitFor } from '@sluice/testing';
import { randomBytes, randomUUID } from 'node:crypto';
import { type SpecServices, startLoadServices } from './spec-services.js';

const BUS_KEY = randomBytes(32).toString('base64');
const log = createLogger({ service: 'spec', level: 'silent' });

let cleanups: (() => Promise<unknown>)[] = [];
let source: TestDatabase;
let target: TestDatabase;
let bus: Bus;
let events: StageEvent[];
let task: TaskSpec;

beforeEach(async () => {
  const stop = new AbortController();
  const nats = await testNats();
  bus = await connectBus({ servers: nats.url, name: 'spec', log });
  await bus.ensureTopology();
  [source, target] = [await testDatabase(), await testDatabase()];
  const taskId = randomUUID();
  const name = helperObjectName(taskId);
  task = {
    taskId,
    name: 'spec',
    syncType: 'full_and_incremental',
    slotName: name,
    publicationName: name,
    incremental: DEFAULT_INCREMENTAL_OPTIONS,
    objects: EVERYTHING,
    ddlDecisions: [],
    users: DEFAULT_USER_OPTIONS,
  };
  const input = ({ endpoint }: TestDatabase) => ({
    ...endpoint,
    password: endpoint.password.reveal(),
    tls: { mode: 'disable' as const },
  });
  const lookup = (id: string) =>
    Promise.resolve(id === taskId ? { source: input(source), target: input(target) } : null);
  serveCredentials(bus, { busKey: new Secret(BUS_KEY), lookup, signal: stop.signal });
  events = [];
  const listening = consumeEvents(bus, {
    subject: stageEvents,
    durableName: `spec_${name}`,
    handle: (event) => Promise.resolve(void (event.taskId === taskId && events.push(event))),
    signal: stop.signal,
  });
  cleanups = [
    async () => {
      stop.abort();
      await listening;
      await bus.close();
      await source[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    },
  ];
});

afterEach(async () => {
  for (const close of cleanups.toReversed()) await close();
});

/** Starts the services, in this process. @returns what stops them. */
function startServices(parts?: SpecServices['parts']): () => Promise<void> {
  const environment = { SLUICE_BUS_KEY: BUS_KEY, SLUICE_FULL_LOAD_CHUNK_MB: '1' };
  const close = startLoadServices({ bus, log, environment, ...(parts && { parts }) });
  cleanups.push(close);
  return close;
}

function order(stage: 'full-load' | 'cleanup', epoch = 1): Promise<void> {
  return publishRun(bus, { version: 1, runId: randomUUID(), epoch, task, stage });
}

function ended(stage: Stage, epoch = 1): Promise<StageEvent> {
  return waitFor(`the end of ${stage} ${epoch}`, () =>
    events.find(
      (event) =>
        event.stage === stage && event.epoch === epoch && ['succeeded', 'failed', 'stopped'].includes(event.outcome),
    ),
  );
}

function desire(desired: 'running' | 'paused', epoch: number): Promise<void> {
  return desiredStates(bus).put(task.taskId, { version: 1, desired, epoch });
}

/** Some chunks are done, and many are not. */
function chunksDone(count: number): Promise<unknown> {
  return waitFor(`${count} chunks`, async () => {
    const [row] = await target.query("SELECT to_regclass('sluice.chunk')::text AS name");
    if (row?.['name'] === null) return false;
    const [{ done } = { done: 0 }] = await target.query<{ done: number }>(
      'SELECT count(done_at)::int AS done FROM sluice.chunk',
    );
    return done >= count;
  });
}

function largeObjects(database: TestDatabase): Promise<unknown[]> {
  return database.query('SELECT oid, md5(lo_get(oid)) AS md5 FROM pg_largeobject_metadata ORDER BY oid');
}

/** Of 100 chunks or so. */
const MANY = `SELECT lo_from_bytea((80000 + i)::oid, convert_to(repeat(md5(i::text), 400), 'UTF8')) FROM generate_series(1, 8000) AS i`;

describe('a full load with large objects', () => {
  it("takes large objects along, changes nothing when an OID is taken, and removes nobody else's", async () => {
    await source.query(`SELECT lo_from_bytea((80000 + i)::oid, convert_to(md5(i::text), 'UTF8')) FROM generate_series(1, 1000) AS i;
      SELECT lo_put(lo_create(79999), 3000000, 'far'); CREATE TABLE document (id int PRIMARY KEY, content oid);
      INSERT INTO document SELECT i, 80000 + i FROM generate_series(1, 1000) AS i`);
    await target.query(`SELECT lo_from_bytea(80007, 'mine'), lo_from_bytea(70000, 'mine')`);
    startServices();
    await order('full-load');
    expect(await ended('full-load')).toMatchObject({
      outcome: 'failed',
      error: { code: 'SLUICE-3002', detail: 'large object 80007' },
    });
    expect(await source.query('SELECT FROM pg_publication')).toEqual([]);
    await target.query('SELECT lo_unlink(80007)');
    await desire('running', 2);
    await order('full-load', 2);
    expect(await ended('full-load', 2)).toMatchObject({ outcome: 'succeeded', result: { tables: 1, rows: 1000 } });
    await order('cleanup', 2);
    expect(await ended('cleanup', 2)).toMatchObject({ outcome: 'succeeded' });
    expect(await target.query("SELECT nspname FROM pg_namespace WHERE nspname = 'sluice'")).toEqual([]);
    expect(await target.query('SELECT lo_unlink(70000)')).toEqual([{ lo_unlink: 1 }]);
    expect(await largeObjects(target)).toEqual(await largeObjects(source));
  });

  it('leaves large objects out when tables are selected', async () => {
    task = { ...task, objects: { level: 'table', objects: [{ kind: 'table', schema: 'public', name: 'document' }] } };
    await source.query(
      'SELECT lo_create(80001); CREATE TABLE document (id int PRIMARY KEY, content oid); INSERT INTO document VALUES (1, 80001)',
    );
    await target.query('SELECT lo_create(80001), lo_put(80001, 0, $$mine$$)');
    const before = await largeObjects(target);
    startServices();
    await order('full-load');
    expect(await ended('full-load')).toMatchObject({ outcome: 'succeeded', result: { tables: 1, rows: 1 } });
    expect(await largeObjects(target)).toEqual(before);
  });

  it.each(['full_and_incremental', 'full'] as const)(
    'copies large objects over when the snapshot is lost among them (%s)',
    async (syncType) => {
      task = { ...task, syncType };
      await source.query(`${MANY}; CREATE TABLE document (id int PRIMARY KEY, content oid)`);
      startServices();
      await order('full-load');
      await chunksDone(3);
      await source.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice snapshot' AND datname = current_database()",
      );
      await source.query(`SELECT lo_unlink(80001), lo_put(80002, 0, 'new'), lo_create(90000)`);
      expect(await ended('full-load')).toMatchObject({ outcome: 'succeeded' });
      expect(await target.query('SELECT generation FROM sluice.load')).toEqual([{ generation: 2 }]);
      // Written after the new snapshot was made, or before it.
      await source.query(`SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid IN (80001, 80002, 90000)`);
      await target.query(`SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid IN (80001, 80002, 90000)`);
      expect(await largeObjects(target)).toEqual(await largeObjects(source));
    },
  );

  it('starts them over when it is paused among them and resumed', async () => {
    await source.query(MANY);
    await target.query(`SELECT lo_from_bytea(70000, 'mine')`);
    startServices();
    await order('full-load');
    await chunksDone(3);
    await desire('paused', 1);
    expect(await ended('full-load')).toMatchObject({ outcome: 'stopped' });
    await source.query(`SELECT lo_unlink(80001), lo_put(80002, 0, 'new'), lo_create(90000)`);
    await desire('running', 2);
    await order('full-load', 2);
    expect(await ended('full-load', 2)).toMatchObject({ outcome: 'succeeded' });
    expect(await target.query('SELECT lo_unlink(70000)')).toEqual([{ lo_unlink: 1 }]);
    expect(await largeObjects(target)).toEqual(await largeObjects(source));
  });

  it('is finished by others when its workers stop among large objects, and copies none of them twice', async () => {
    await source.query(MANY);
    startServices(['holder']);
    const stop = startServices(['workers']);
    await order('full-load');
    await chunksDone(3);
    const done = await target.query('SELECT chunk_id, done_at FROM sluice.chunk WHERE done_at IS NOT NULL ORDER BY 1');
    await stop();
    startServices(['workers']);
    expect(await ended('full-load')).toMatchObject({ outcome: 'succeeded' });
    expect(await target.query('SELECT chunk_id, done_at FROM sluice.chunk ORDER BY 1')).toEqual(
      expect.arrayContaining(done),
    );
    expect(await largeObjects(target)).toEqual(await largeObjects(source));
  });
});
