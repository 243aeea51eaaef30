import { describe, expect, it, jest } from '@jest/globals';
import {
  CHANGE_HEADERS,
  DEFAULT_INCREMENTAL_OPTIONS,
  DEFAULT_USER_OPTIONS,
  EVERYTHING,
  helperObjectName,
  type TaskSpec,
} from '@sluice/contracts';
import { startPostgres } from '@sluice/embedded';
import { type Bus, changeStreams, connectBus } from '@sluice/messaging';
import { type Lsn, parseLsn, parseSourceIdentity, refuseSource, type SourceIdentity } from '@sluice/model';
import { connect, type Endpoint } from '@sluice/postgres-client';
import { createLogger } from '@sluice/telemetry';
import { dedicatedServer, testDatabase, type TestDatabase, testNats, waitFor } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { chownSync } from 'node:fs';
import { cp, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCaptureSession } from './run-capture-session.js';

jest.setTimeout(180_000);

const LOG = createLogger({ service: 'capture-spec', level: 'silent' });

type OwnServer = Awaited<ReturnType<typeof dedicatedServer>>;

/** A standby of `primary`, which must be stopped: a copy of its files, slots included, that follows it. */
async function standbyOf(primary: OwnServer): Promise<OwnServer> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'sluice-test-standby-'));
  const { uid, gid } = await stat(primary.dataDir);
  await cp(primary.dataDir, dataDir, { recursive: true, preserveTimestamps: true });
  await writeFile(path.join(dataDir, 'standby.signal'), '');
  const { host, port, superuser, password } = primary;
  const settings = {
    primary_conninfo: `host=${host} port=${port} user=${superuser} password=${password}`,
    hot_standby: 'on',
    fsync: 'off',
    dynamic_shared_memory_type: 'mmap',
    shared_buffers: '64MB',
  };
  await giveAll(dataDir, { uid, gid });
  return startPostgres({ major: primary.major, dataDir, settings, temporary: true });
}

async function giveAll(folder: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  chownSync(folder, uid, gid);
  for (const name of await readdir(folder, { recursive: true })) chownSync(path.join(folder, name), uid, gid);
  await rm(path.join(folder, 'postmaster.pid'), { force: true });
}

/** The identity that a session on this source announces. */
async function announced(
  bus: Bus,
  task: TaskSpec,
  source: Endpoint,
): Promise<{ source: SourceIdentity; startLsn: Lsn }> {
  const stopping = new AbortController();
  await changeStreams(bus).delete(task.taskId);
  const ended = runCaptureSession({
    task,
    source,
    bus,
    config: {
      SLUICE_CAPTURE_STATUS_INTERVAL_MS: 500,
      SLUICE_CAPTURE_IDLE_WATERMARK_MS: 60_000,
      SLUICE_CAPTURE_COVERAGE_INTERVAL_MS: 60_000,
      SLUICE_CAPTURE_WINDOW_BYTES: 1024 * 1024,

      SLUICE_CAPTURE_WHOLE_MS: 60_000,
      SLUICE_CHANGES_MAX_BYTES: 64 * 1024 * 1024,
    },
    from: 'slot',
    untilLsn: new Promise<Lsn>(() => undefined),
    signal: stopping.signal,
    log: LOG,
    onHealthy: () => undefined,
    onProgress: () => undefined,
  });
  ended.catch(() => stopping.abort());
  const firstBatch = waitFor('the first batch', async () => {
    stopping.signal.throwIfAborted();
    if (!(await changeStreams(bus).info(task.taskId))?.messageCount) return undefined;
    await using reader = await changeStreams(bus).openReader(task.taskId, { signal: stopping.signal });
    return (await reader.next(5_000)) ?? undefined;
  });
  try {
    const first = await Promise.race([ended.then(() => undefined), firstBatch]);
    const text = first?.headers[CHANGE_HEADERS.source];
    if (!text) throw new Error('a session must say which server it reads');
    return {
      source: parseSourceIdentity(text),
      startLsn: parseLsn(first.headers[CHANGE_HEADERS.previousLsn] ?? '0/0'),
    };
  } finally {
    stopping.abort();
    // Order: a reader that is left over would take the stream from the next one.
    await Promise.allSettled([ended, firstBatch]);
  }
}

async function walEnd(database: Pick<TestDatabase, 'query'>): Promise<Lsn> {
  const [row] = await database.query<{ lsn: string }>(
    'SELECT coalesce(CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn() END, pg_last_wal_replay_lsn())::text AS lsn',
  );
  return parseLsn(row?.lsn ?? '0/0');
}

// 12: the oldest that is promoted by a function; 15: its timeline functions differ inside; 18: the newest.
describe.each([12, 15, 18] as const)('a source of major %d whose standby was promoted', (major) => {
  it('goes on where the standby had everything, and is refused where it lacks what was read', async () => {
    await using bus = await connectBus({ servers: (await testNats()).url, name: 'capture-spec', log: LOG });
    await using primary = await dedicatedServer({ major });
    const before = await testDatabase({
      server: primary,
      name: 'promoted',
      schema: 'CREATE TABLE t (id int PRIMARY KEY)',
    });
    const taskId = randomUUID();
    const name = helperObjectName(taskId);
    await before.query(`CREATE PUBLICATION ${name} FOR TABLE t`);
    await before.query(`SELECT pg_create_logical_replication_slot('${name}', 'pgoutput')`);
    const task: TaskSpec = {
      taskId,
      name: 'spec-task',
      syncType: 'full_and_incremental',
      slotName: name,
      publicationName: name,
      incremental: DEFAULT_INCREMENTAL_OPTIONS,
      objects: EVERYTHING,
      ddlDecisions: [],
      users: DEFAULT_USER_OPTIONS,
    };
    const old = await announced(bus, task, before.endpoint);
    expect(old.source).toMatchObject({ timeline: 1, history: [] });
    await primary.stop('fast');
    await using standby = await standbyOf(primary);
    await primary.restart();
    await using on = await testDatabaseOn(standby, 'promoted');
    const [writer, follower] = [await testDatabaseOn(primary, 'promoted'), on];
    await writer.query('INSERT INTO t VALUES (1)');
    const sharedLsn = await walEnd(writer);
    await waitFor('the standby to follow', async () => (await walEnd(follower)) >= sharedLsn);
    // A standby is waited for: it may be promoted any moment.
    await expect(announced(bus, task, follower.endpoint)).rejects.toMatchObject({ code: 'SLUICE-1011' });
    await writer[Symbol.asyncDispose]();
    await primary.stop('fast');
    await follower.query('SELECT pg_promote()');
    await follower.query('INSERT INTO t VALUES (2)');
    const now = await announced(bus, task, follower.endpoint);
    expect(now.source).toMatchObject({ systemId: old.source.systemId, timeline: 2 });
    const [branch] = now.source.history;
    expect(branch?.timeline).toBe(1);
    expect(branch?.endLsn).toBeGreaterThanOrEqual(sharedLsn);
    expect(refuseSource(now.source, { source: old.source, positionLsn: sharedLsn })).toBeNull();
    // The old primary was read on, and its standby was promoted without that.
    await primary.restart();
    const again = await testDatabaseOn(primary, 'promoted');
    await again.query('INSERT INTO t SELECT generate_series(10, 1000)');
    const readLsn = await walEnd(again);
    await again[Symbol.asyncDispose]();
    expect(readLsn).toBeGreaterThan(branch?.endLsn ?? 0n);
    expect(refuseSource(now.source, { source: old.source, positionLsn: readLsn })).toMatch(/branched off at/);
  });
});

/** A session on a database that is there already; nothing is dropped at its end. */
async function testDatabaseOn(
  server: OwnServer,
  name: string,
): Promise<Pick<TestDatabase, 'query' | 'endpoint'> & AsyncDisposable> {
  const endpoint = server.endpoint(name);
  const client = await connect(endpoint, { applicationName: 'test' });
  return {
    endpoint,
    query: async <R extends Record<string, unknown>>(text: string) => (await client.query<R>(text)).rows,
    [Symbol.asyncDispose]: () => client.end().catch(() => undefined),
  };
}
