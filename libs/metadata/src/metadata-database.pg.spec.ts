import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  DEFAULT_INCREMENTAL_OPTIONS,
  DEFAULT_USER_OPTIONS,
  NO_RATE_LIMIT,
  type StageEvent,
  EVERYTHING,
} from '@sluice/contracts';
import { Secret } from '@sluice/kernel';
import { type Command, decideAction, decideEvent, type TaskStage } from '@sluice/model';
import { testDatabase, type TestDatabase } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { MetadataDatabase } from './metadata-database.js';
import { type OutboxItem } from './outbox-message.js';
import { type NewTask, type Origin, type StoredTask } from './stored-task.js';

const MASTER_KEY = new Secret('master key of the metadata tests');
const ORIGIN: Origin = {
  actor: 'admin',
  keyId: null,
  role: null,
  address: '127.0.0.1',
  traceId: 'abc',
  trace: { traceparent: '00-ab-cd-01' },
};
const PASSWORD = 'pa55word-of-the-test';

function endpoint(host: string): NewTask['endpoints']['source'] {
  return { host, port: 5432, database: 'shop', user: 'app', password: PASSWORD, tls: { mode: 'disable' } };
}

function newTask(name = 'shop-move'): NewTask {
  const endpoints = { source: endpoint('source.test'), target: endpoint('target.test') };
  return {
    projectId,
    name,
    description: '',
    syncType: 'full_and_incremental',
    incremental: DEFAULT_INCREMENTAL_OPTIONS,
    users: DEFAULT_USER_OPTIONS,
    rateLimit: NO_RATE_LIMIT,
    objects: EVERYTHING,
    endpoints,
  };
}

let database: TestDatabase;
let metadata: MetadataDatabase;
let projectId: string;

const open = (): Promise<MetadataDatabase> =>
  MetadataDatabase.open({ url: new Secret(database.url), masterKey: MASTER_KEY });

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  metadata = await open();
  projectId = (await metadata.projects.findDefault()).id;
});
afterEach(async () => {
  await metadata[Symbol.asyncDispose]();
  await database.query('DROP SCHEMA sluice_control CASCADE');
});

async function create(name?: string): Promise<string> {
  return (await metadata.creator.create(newTask(name), { origin: ORIGIN })).taskId;
}

function act(taskId: string, action: Command['action'], expected?: StoredTask): Promise<StoredTask | null> {
  return metadata.tasks.transition(
    taskId,
    (situation) => {
      const decision = decideAction(situation, { action });
      if (decision === 'deleted' || 'refused' in decision) throw new Error('refused');
      return decision;
    },
    { origin: ORIGIN, action, ...(expected && { expected: expected.situation }) },
  );
}

async function succeed(taskId: string, stage: TaskStage, result: unknown): Promise<StoredTask | null> {
  const task = await metadata.tasks.find(taskId);
  const run = task?.situation.openRuns.find((open) => open.stage === stage);
  const event = { outcome: 'succeeded', stage, result, runId: run?.runId, epoch: task?.situation.epoch };
  return metadata.tasks.transition(taskId, (situation) => decideEvent(situation, event as StageEvent), {
    origin: ORIGIN,
  });
}

async function dispatched(): Promise<OutboxItem[]> {
  const items: OutboxItem[] = [];
  while ((await metadata.outbox.dispatch(async (item) => void items.push(item))).sent > 0);
  return items;
}

const describeItem = ({ message }: OutboxItem): string => {
  if (message.kind === 'run') return `run ${message.run.stage}`;
  if (message.kind === 'desire') return `desire ${message.desired.desired}`;
  return message.kind === 'task-event' ? `event ${message.event.to}` : message.kind;
};

const auditOf = async (objectId: string) => (await metadata.audit.list({ projects: 'all', objectId, limit: 50 })).items;

describe('the metadata schema', () => {
  it('is made once by replicas that start together', async () => {
    await database.query('DROP SCHEMA sluice_control CASCADE');
    const replicas = await Promise.all([open(), open(), open()]);
    await Promise.all(replicas.map((replica) => replica.ping()));
    const migrations = await database.query('SELECT name FROM sluice_control.migrations ORDER BY id');
    expect(migrations.map(({ name }) => String(name).replace(/\d+$/, ''))).toEqual([
      'Initial',
      'IncrementalOptions',
      'Conflicts',
      'RunningTransactions',
      'Projects',
      'ApiKeyScopes',
      'AuditDetails',
      'TaskRevision',
      'Users',
      'ObjectSelection',
      'RateLimit',
    ]);
    await Promise.all(replicas.map((replica) => replica[Symbol.asyncDispose]()));
  });

  it('refuses to change or remove an audit event', async () => {
    await create();
    const change = database.query(`UPDATE sluice_control.audit_events SET actor = 'nobody'`);
    await expect(change).rejects.toThrow('append-only');
    await expect(database.query('DELETE FROM sluice_control.audit_events')).rejects.toThrow('append-only');
  });
});

describe('creating', () => {
  it('seals the credentials: nothing of them is readable in the database', async () => {
    const taskId = await create();
    const tables = await database.query(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'sluice_control'`,
    );
    for (const { name } of tables) {
      const rows = await database.query(`SELECT t::text AS text FROM sluice_control."${String(name)}" t`);
      for (const { text } of rows) expect(String(text)).not.toMatch(/pa55word|source\.test|70613535/);
    }
    expect((await metadata.vault.lookup(taskId))?.source.password).toBe(PASSWORD);
  });

  it('refuses a name that differs in case only', async () => {
    await create('shop-move');
    await expect(create('Shop-Move')).rejects.toMatchObject({ code: 'SLUICE-6004' });
  });

  it('makes one task of two requests with one key, and refuses the key for another request', async () => {
    const options = { origin: ORIGIN, idempotencyKey: 'k1' };
    const both = await Promise.all([
      metadata.creator.create(newTask(), options),
      metadata.creator.create(newTask(), options),
    ]);
    expect(both[0].taskId).toBe(both[1].taskId);
    expect(both.map(({ isReplay }) => isReplay).sort()).toEqual([false, true]);
    const other = metadata.creator.create(newTask('other-name'), options);
    await expect(other).rejects.toMatchObject({ code: 'SLUICE-6001' });
  });
});

describe('transitions', () => {
  it('lets one of two racing actions win', async () => {
    const taskId = await create();
    const seen = await metadata.tasks.find(taskId);
    if (!seen) throw new Error('no task');
    const outcomes = await Promise.allSettled([act(taskId, 'start', seen), act(taskId, 'end', seen)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const lost = outcomes.find((outcome) => outcome.status === 'rejected');
    expect(lost?.reason).toMatchObject({ code: 'SLUICE-6006' });
  });

  it('carries out an order also when the task begins to recover just then', async () => {
    const taskId = await create();
    await act(taskId, 'start');
    await succeed(taskId, 'connection-test', { stage: 'connection-test', report: { passed: true, steps: [] } });
    await succeed(taskId, 'precheck', { stage: 'precheck', report: { passed: true, checks: [] } });
    const seen = await succeed(taskId, 'full-load', { stage: 'full-load', tables: 0, rows: 0, bytes: 0 });
    if (!seen) throw new Error('no task');
    const capture = seen.situation.openRuns.find(({ stage }) => stage === 'capture');
    const error = { code: 'SLUICE-1012', detail: 'lost', remedy: 'wait' };
    const event = {
      outcome: 'recovering',
      stage: 'capture',
      runId: capture?.runId,
      epoch: seen.situation.epoch,
      error,
    };
    const at = new Date().toISOString();
    const recovering = await metadata.tasks.transition(
      taskId,
      (situation) => decideEvent(situation, { ...event, at } as StageEvent),
      { origin: ORIGIN },
    );
    expect([seen.situation.state, recovering?.situation.state]).toEqual(['incremental', 'recovering']);
    expect((await act(taskId, 'pause', seen))?.situation.state).toBe('paused');
  });

  it('keeps everything over a restart', async () => {
    const taskId = await create();
    await act(taskId, 'start');
    const before = await metadata.tasks.find(taskId);
    await metadata[Symbol.asyncDispose]();
    metadata = await open();
    expect(await metadata.tasks.find(taskId)).toEqual(before);
  });

  it('writes runs, desired state and events of a decision to the outbox, in its order', async () => {
    const taskId = await create();
    await act(taskId, 'start');
    await succeed(taskId, 'connection-test', { stage: 'connection-test', report: { passed: true, steps: [] } });
    await succeed(taskId, 'precheck', { stage: 'precheck', report: { passed: true, checks: [] } });
    const items = await dispatched();
    expect(items.map(describeItem)).toEqual([
      'event configuring',
      'desire running',
      'run connection-test',
      'event starting',
      'run precheck',
      'run full-load',
      'event full_load',
    ]);
    expect(items.every(({ trace }) => trace['traceparent'] === '00-ab-cd-01')).toBe(true);
    const expected = await metadata.tasks.expectedRuns();
    expect(expected.map(({ run }) => [run.stage, run.epoch])).toEqual([['full-load', 1]]);
    expect((await metadata.tasks.desiredStates()).get(taskId)).toMatchObject({ desired: 'running', epoch: 1 });
  });

  it('removes the credentials with the task and tells the bus', async () => {
    const taskId = await create();
    await dispatched();
    expect(await metadata.tasks.remove(taskId, { origin: ORIGIN, action: 'delete' })).toBe(true);
    expect(await metadata.vault.lookup(taskId)).toBeNull();
    expect(await database.query('SELECT task_id FROM sluice_control.task_credentials')).toEqual([]);
    expect((await dispatched()).map(describeItem)).toEqual(['forget']);
    const audit = await auditOf(taskId);
    expect(audit.map(({ action, actor }) => `${actor} ${action}`)).toEqual(['admin delete', 'admin create']);
  });
});

describe('the outbox', () => {
  it('keeps what could not be published, and what follows it, and goes on with other tasks', async () => {
    const [one, two] = [await create('task-one'), await create('task-two')];
    await act(one, 'start');
    const sent: string[] = [];
    const publish = async (item: OutboxItem): Promise<void> => {
      if (item.taskId === one) throw new Error('bus is away');
      sent.push(item.taskId);
    };
    const outcome = await metadata.outbox.dispatch(publish);
    expect(outcome).toMatchObject({ sent: 1, error: { message: 'bus is away' } });
    expect(sent).toEqual([two]);
    expect((await dispatched()).map(describeItem)).toEqual([
      'event configuring',
      'desire running',
      'run connection-test',
      'event starting',
    ]);
  });

  it('keeps the order of a task across replicas that dispatch at once', async () => {
    const tasks = await Promise.all(Array.from({ length: 8 }, (_, index) => create(`task-${index}`)));
    for (const task of tasks) await act(task, 'start');
    await using other = await open();
    const items: OutboxItem[] = [];
    const drain = async (replica: MetadataDatabase): Promise<void> => {
      while ((await replica.outbox.unsentCount()) > 0) {
        await replica.outbox.dispatch(async (item) => {
          await new Promise(setImmediate);
          items.push(item);
        });
      }
    };
    await Promise.all([drain(metadata), drain(other)]);
    expect(items).toHaveLength(32);
    for (const task of tasks) {
      const ids = items.filter(({ taskId }) => taskId === task).map(({ id }) => Number(id));
      expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    }
  });
});

describe('listing', () => {
  it('pages newest first without repeating, and filters', async () => {
    for (let index = 0; index < 5; index += 1) await create(`task-${index}`);
    const first = await metadata.tasks.list({ projects: 'all', limit: 2 });
    await create('task-new');
    const second = await metadata.tasks.list({ projects: 'all', limit: 2, cursor: first.nextCursor ?? '' });
    const third = await metadata.tasks.list({ projects: 'all', limit: 2, cursor: second.nextCursor ?? '' });
    const names = [first, second, third].map(({ items }) => items.map(({ name }) => name));
    expect(names).toEqual([['task-4', 'task-3'], ['task-2', 'task-1'], ['task-0']]);
    expect(third.nextCursor).toBeNull();
    expect((await metadata.tasks.list({ projects: 'all', limit: 9, name: 'NEW' })).items).toHaveLength(1);
    expect((await metadata.tasks.list({ projects: 'all', limit: 9, state: 'paused' })).items).toHaveLength(0);
    await expect(metadata.tasks.list({ projects: 'all', limit: 2, cursor: 'x' })).rejects.toMatchObject({
      code: 'SLUICE-6001',
    });
  });
});

describe('API keys', () => {
  it('makes one admin key at the first start, however many replicas start, and shows it once', async () => {
    const made = await Promise.all([metadata.apiKeys.ensureAdmin(null), metadata.apiKeys.ensureAdmin(null)]);
    const key = made.find((one) => one !== null);
    expect(made.filter((one) => one !== null)).toHaveLength(1);
    expect(await metadata.apiKeys.verify(key ?? new Secret(''))).toMatchObject({ name: 'admin' });
    await expect(metadata.apiKeys.verify(new Secret('slk_guess'))).rejects.toMatchObject({ code: 'SLUICE-6005' });
    expect(await metadata.apiKeys.ensureAdmin(null)).toBeNull();
  });

  it('takes a configured key and makes none', async () => {
    const key = new Secret(`configured-${randomUUID()}`);
    expect(await metadata.apiKeys.ensureAdmin(key)).toBeNull();
    expect(await metadata.apiKeys.verify(key)).toMatchObject({ name: 'admin' });
  });
});

describe('alarms', () => {
  it('are recorded once per event, and outlive their task', async () => {
    const taskId = await create();
    const alarm = {
      eventId: randomUUID(),
      taskId,
      taskName: 'shop-move',
      kind: 'abnormal' as const,
      state: 'incremental_failed',
      error: { code: 'SLUICE-5001', detail: 'duplicate key', remedy: 'remove the row' },
      at: '2026-01-01T00:00:00.000Z',
    };
    const twice = await Promise.all([metadata.alarms.record(alarm), metadata.alarms.record(alarm)]);
    expect(twice.sort()).toEqual([false, true]);
    await metadata.tasks.remove(taskId, { origin: ORIGIN, action: 'delete' });
    expect(await metadata.alarms.list({ projects: 'all', limit: 10, taskId })).toEqual({
      items: [{ ...alarm, projectId }],
      nextCursor: null,
    });
    expect((await metadata.alarms.list({ projects: 'all', limit: 10, taskId: randomUUID() })).items).toEqual([]);
  });
});
