import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_INCREMENTAL_OPTIONS, DEFAULT_USER_OPTIONS, NO_RATE_LIMIT, EVERYTHING } from '@sluice/contracts';
import { Secret } from '@sluice/kernel';
import { testDatabase, type TestDatabase } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { connectionOptions } from './connection-options.js';
import { MetadataDatabase } from './metadata-database.js';
import { Initial1767225600000 } from './migrations/1767225600000-initial.js';
import { IncrementalOptions1769904000000 } from './migrations/1769904000000-incremental-options.js';
import { Conflicts1769990400000 } from './migrations/1769990400000-conflicts.js';
import { RunningTransactions1770076800000 } from './migrations/1770076800000-running-transactions.js';
import { type NewTask, type Origin } from './stored-task.js';

const ORIGIN: Origin = { actor: 'admin', keyId: randomUUID(), role: null, address: null, traceId: null, trace: {} };

let database: TestDatabase;
let metadata: MetadataDatabase;

const open = (): Promise<MetadataDatabase> =>
  MetadataDatabase.open({ url: new Secret(database.url), masterKey: new Secret('master key of the project tests') });

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  metadata = await open();
});
afterEach(async () => {
  await metadata[Symbol.asyncDispose]();
  await database.query('DROP SCHEMA sluice_control CASCADE');
});

function newTask(projectId: string, name: string): NewTask {
  const side = { host: 'h', port: 5432, database: 'd', user: 'u', password: 'p', tls: { mode: 'disable' as const } };
  const endpoints = { source: side, target: side };
  const chosen = {
    incremental: DEFAULT_INCREMENTAL_OPTIONS,
    users: DEFAULT_USER_OPTIONS,
    objects: EVERYTHING,
    rateLimit: NO_RATE_LIMIT,
  };
  const options = { syncType: 'full' as const, ...chosen };
  return { projectId, name, description: '', endpoints, ...options };
}

const createTask = async (projectId: string, name: string): Promise<string> =>
  (await metadata.creator.create(newTask(projectId, name), { origin: ORIGIN })).taskId;
const createProject = async (name: string): Promise<string> =>
  (await metadata.projects.create(name, { origin: ORIGIN })).id;

const auditOf = async (objectId: string) => (await metadata.audit.list({ projects: 'all', objectId, limit: 50 })).items;

describe('the migration to projects', () => {
  it('puts tasks, alarms and audit from before into project default', async () => {
    await metadata[Symbol.asyncDispose]();
    await database.query('DROP SCHEMA sluice_control CASCADE');
    await database.query('CREATE SCHEMA sluice_control');
    const before = new DataSource({
      ...connectionOptions(new Secret(database.url)),
      migrations: [
        Initial1767225600000,
        IncrementalOptions1769904000000,
        Conflicts1769990400000,
        RunningTransactions1770076800000,
      ],
    });
    await before.initialize();
    await before.runMigrations();
    const taskId = randomUUID();
    await before.query(
      `INSERT INTO tasks (id, name, description, sync_type, state, epoch, is_load_started, is_load_finished, is_draining,
                          incremental, created_at, updated_at)
       VALUES ($1, 'old-task', '', 'full', 'configuring', 0, false, false, false, '{}', now(), now())`,
      [taskId],
    );
    await before.query(
      `INSERT INTO audit_events (at, actor, action, task_id, outcome) VALUES (now(), 'admin', 'create', $1, 'done')`,
      [taskId],
    );
    await before.query(
      `INSERT INTO alarms (event_id, task_id, task_name, kind, state, at) VALUES ($1, $1, 'old-task', 'ended', 'x', now())`,
      [taskId],
    );
    await before.destroy();
    metadata = await open();
    const { id, name } = await metadata.projects.findDefault();
    expect(name).toBe('default');
    for (const table of ['tasks', 'audit_events', 'alarms'])
      expect(await database.query(`SELECT project_id FROM sluice_control.${table}`)).toEqual([{ project_id: id }]);
    expect((await auditOf(taskId))[0]?.object).toEqual({ kind: 'task', id: taskId, name: null });
  });
});

describe('projects', () => {
  it('let the same task name be used once in each, compared case-insensitively', async () => {
    const [one, two] = [await createProject('one'), await createProject('two')];
    await createTask(one, 'same-name');
    await createTask(two, 'SAME-name');
    await expect(createTask(one, 'Same-Name')).rejects.toMatchObject({ code: 'SLUICE-6004' });
    expect(await metadata.tasks.isNameTaken(two, 'same-NAME')).toBe(true);
    expect(await metadata.tasks.isNameTaken((await metadata.projects.findDefault()).id, 'same-name')).toBe(false);
    await expect(createTask(randomUUID(), 'nowhere')).rejects.toMatchObject({ code: 'SLUICE-6002' });
  });

  it('are read in those projects that are asked for', async () => {
    const [one, two] = [await createProject('one'), await createProject('two')];
    await createTask(one, 'in-one');
    await createTask(two, 'in-two');
    const names = async (projects: 'all' | string[]): Promise<string[]> =>
      (await metadata.tasks.list({ projects, limit: 9 })).items.map(({ name }) => name);
    expect(await names([one])).toEqual(['in-one']);
    expect(await names('all')).toEqual(['in-two', 'in-one']);
    expect(await names([])).toEqual([]);
    const listed = await metadata.projects.list({ projects: [two], limit: 9 });
    expect(listed.items.map(({ name }) => name)).toEqual(['two']);
  });

  it('are removed only while they are empty, and never the default one', async () => {
    const id = await createProject('short-lived');
    const taskId = await createTask(id, 'in-the-way');
    await expect(metadata.projects.remove(id, ORIGIN)).rejects.toMatchObject({ code: 'SLUICE-6008' });
    await metadata.tasks.remove(taskId, { origin: ORIGIN, action: 'delete' });
    expect(await metadata.projects.remove(id, ORIGIN)).toBe(true);
    expect(await metadata.projects.remove(id, ORIGIN)).toBe(false);
    const standing = metadata.projects.remove((await metadata.projects.findDefault()).id, ORIGIN);
    await expect(standing).rejects.toMatchObject({ code: 'SLUICE-6009' });
    expect((await auditOf(id)).map(({ action }) => action)).toEqual(['delete', 'create']);
  });

  it('have names of their own, and are made once per Idempotency-Key', async () => {
    const options = { origin: ORIGIN, idempotencyKey: 'p1' };
    const both = await Promise.all([1, 2].map(() => metadata.projects.create('shop', options)));
    expect(both[0]?.id).toBe(both[1]?.id);
    await expect(createProject('SHOP')).rejects.toMatchObject({ code: 'SLUICE-6004' });
    await expect(metadata.projects.rename(both[0]?.id ?? '', 'Default', ORIGIN)).rejects.toMatchObject({
      code: 'SLUICE-6004',
    });
    const project = await metadata.projects.findDefault();
    const task = metadata.creator.create(newTask(project.id, 'not-a-project'), options);
    await expect(task).rejects.toMatchObject({ code: 'SLUICE-6001' });
  });
});
