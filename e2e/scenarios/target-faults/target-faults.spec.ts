import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type PostgresServer } from '@sluice/embedded';
import {
  dedicatedServer,
  expectSameRows,
  type FaultProxy,
  faultProxy,
  testDatabase,
  type TestDatabase,
  waitFor,
} from '@sluice/testing';
import { existsSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { type RunningTask, underTraffic } from '../../src/fault-scenario.js';
import { MIXED } from '../../src/mixed-schema.js';

const FAULTS = `
CREATE SCHEMA faults;
CREATE TABLE faults.filled (n integer PRIMARY KEY);
CREATE TABLE faults.dropped (n integer PRIMARY KEY);
INSERT INTO faults.dropped VALUES (1), (2);
CREATE TABLE faults.locked (n integer PRIMARY KEY, hits integer NOT NULL DEFAULT 0);
INSERT INTO faults.locked VALUES (1), (2);
CREATE TABLE faults.large (n integer, filler text);
ALTER TABLE faults.large REPLICA IDENTITY FULL;
`;
/** Silence for so long makes apply look whether its connection is alive. */
const SILENCE_MS = 2_000;

let cluster: Cluster;
let server: PostgresServer;
let source: TestDatabase;
let target: TestDatabase;
let proxy: FaultProxy;
let taskId: string;
let task: RunningTask;
let seed = 0;

beforeAll(async () => {
  cluster = await startCluster({ env: { SLUICE_APPLY_SILENCE_MS: String(SILENCE_MS) } });
  server = await dedicatedServer();
  source = await cluster.sourceDatabase(MIXED + FAULTS);
  target = await testDatabase({ server });
  proxy = await faultProxy({ target: server });
  const throughProxy = { endpoint: { ...target.endpoint, host: proxy.host, port: proxy.port } };
  taskId = await cluster.createAndStart({ source, target: throughProxy });
  await cluster.untilState(taskId, 'incremental');
  await untilCaughtUp(source, target);
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  seed += 1;
  task = await underTraffic({ cluster, taskId, source, target, seed });
});
afterEach(async () => task[Symbol.asyncDispose]());

describe('a task goes on by itself', () => {
  it.each(['fast', 'immediate'] as const)('after the target was restarted (%s) in a transaction', async (mode) => {
    await source.query(
      'INSERT INTO faults.large SELECT n, repeat(md5(n::text), 100) FROM generate_series(1, 20000) AS n',
    );
    await untilApplying('faults.large');
    await server.restart({ mode });
    await task.writers.untilMore(50);
    await task.expectEqual();
    expect(await countOf('faults.large')).toBe(await countOf('faults.large', source));
  });

  it('after the target was read-only', async () => {
    await onServer('ALTER SYSTEM SET default_transaction_read_only = on');
    await task.untilRecovering('SLUICE-5008');
    const rowsBefore = await countOf('line.earlier');
    await task.writers.untilMore(50);
    expect(await countOf('line.earlier')).toBe(rowsBefore);
    await onServer('ALTER SYSTEM RESET default_transaction_read_only');
    await task.expectEqual();
  });

  it('after the disk of the target was full', async () => {
    const restoreSpace = await fillDiskBehind('faults.filled');
    await source.query('INSERT INTO faults.filled SELECT generate_series(1, 1000)');
    await task.untilRecovering('SLUICE-5009');
    // What was committed before the transaction that finds no room is applied first.
    await attemptsInVain(2);
    const recoveredBefore = await recoveries();
    // It says that it recovers until it has recovered: attempts in vain are no news.
    await attemptsInVain(2);
    await task.writers.untilMore(50);
    expect(await recoveries()).toBe(recoveredBefore);
    expect(await countOf('faults.filled')).toBe(0);
    await restoreSpace();
    await task.expectEqual();
    expect(await countOf('faults.filled')).toBe(1000);
  });

  it('when a table that was locked for long is free again', async () => {
    const holder = await target.connect();
    await holder.query('BEGIN; LOCK TABLE faults.locked IN ACCESS EXCLUSIVE MODE');
    await source.query('UPDATE faults.locked SET hits = hits + 1');
    await waitFor('apply to wait for the lock', async () => (await waitingForLock()) === 1);
    const pid = await applyPid();
    await task.writers.untilMore(3 * (SILENCE_MS / 10));
    // Whoever waits for a lock is not dead, however long nothing is heard of it.
    expect(await applyPid()).toBe(pid);
    expect(await waitingForLock()).toBe(1);
    await holder.query('COMMIT');
    await task.expectEqual();
  });

  it('after a deadlock with somebody else on the target, of which it was the victim', async () => {
    // The one whose patience ends first is the victim. It looks once, when it has waited for so long: the other must have come until then.
    await onServer("ALTER SYSTEM SET deadlock_timeout = '3s'");
    const other = await target.connect({ deadlock_timeout: '1min' });
    await other.query('BEGIN; UPDATE faults.locked SET hits = hits WHERE n = 2');
    const deadlocksBefore = await deadlocks();
    await source.query('BEGIN; UPDATE faults.locked SET hits = hits + 1 WHERE n = 1');
    await source.query('UPDATE faults.locked SET hits = hits + 1 WHERE n = 2; COMMIT');
    await waitFor('apply to wait for the row', async () => (await waitingForLock()) === 1);
    await other.query('UPDATE faults.locked SET hits = hits WHERE n = 1; COMMIT');
    await waitFor('the deadlock', async () => (await deadlocks()) > deadlocksBefore);
    await onServer('ALTER SYSTEM RESET deadlock_timeout');
    await task.expectEqual();
  });

  it('after its connection went silent in a transaction', async () => {
    await source.query(
      'INSERT INTO faults.large SELECT n, repeat(md5(n::text), 100) FROM generate_series(1, 20000) AS n',
    );
    await untilApplying('faults.large');
    proxy.halfOpen();
    // No server ends these connections and the kernel misses no packet: the bytes vanish.
    await task.untilRecovering('SLUICE-1012');
    expect(proxy.swallowedBytes).toBeGreaterThan(0);
    await proxy.restore();
    await task.expectEqual();
  });

  it('after every connection to the target was cut again and again', async () => {
    for (let cut = 0; cut < 5; cut += 1) {
      await task.writers.untilMore(30);
      proxy.cut();
    }
    await task.expectEqual();
  });
});

it('fails by name when a table of the target was dropped, and goes on when it is back', async () => {
  await target.query('DROP TABLE faults.dropped');
  await source.query('INSERT INTO faults.dropped VALUES (3)');
  const error = await cluster.untilFailed(taskId, 'incremental_failed', 'SLUICE-5006');
  expect(error.detail).toContain('faults.dropped');
  await task.writers.untilMore(50);
  await target.query('CREATE TABLE faults.dropped (n integer PRIMARY KEY); INSERT INTO faults.dropped VALUES (1), (2)');
  await cluster.api.act(taskId, 'retry');
  await cluster.untilState(taskId, 'incremental');
  await task.expectEqual();
  await cluster.api.act(taskId, 'end');
  await cluster.untilState(taskId, 'ended');
  await expectSameRows(source, target);
});

/** `ALTER SYSTEM` takes no parameters and no transaction; it is in force for running sessions, too. */
async function onServer(sql: string): Promise<void> {
  const client = await target.connect({ default_transaction_read_only: 'off' });
  await client.query(sql);
  await client.query('SELECT pg_reload_conf()');
  await client.end();
}

async function countOf(table: string, database: TestDatabase = target): Promise<number> {
  const client = await database.connect();
  const { rows } = await client.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
  await client.end();
  return rows[0]?.count ?? 0;
}

async function numberFrom(sql: string, parameters: readonly unknown[] = []): Promise<number> {
  const client = await target.connect();
  const { rows } = await client.query<{ n: number }>(sql, [...parameters]);
  await client.end();
  return rows[0]?.n ?? 0;
}

function applyPid(): Promise<number> {
  return numberFrom(`SELECT pid AS n FROM pg_stat_activity WHERE application_name = $1`, [`sluice apply ${taskId}`]);
}

function waitingForLock(): Promise<number> {
  return numberFrom(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`,
    [`sluice apply ${taskId}`],
  );
}

async function attemptsInVain(count: number): Promise<void> {
  const failed = (): number => cluster.logOf('apply').split('stage attempt failed').length - 1;
  const before = failed();
  await waitFor(`${count} attempts in vain`, () => failed() >= before + count);
}

/** Alarms that all is well again. */
async function recoveries(): Promise<number> {
  const response = await fetch(`${cluster.apiUrl}/api/v1/alarms?taskId=${taskId}&limit=100`, {
    headers: { authorization: `Bearer ${cluster.adminKey}` },
  });
  return (await response.text()).split('"recovered"').length - 1;
}

function deadlocks(): Promise<number> {
  return numberFrom('SELECT deadlocks::int AS n FROM pg_stat_database WHERE datname = current_database()');
}

/** Apply has a transaction open that has written to the table. */
async function untilApplying(table: string): Promise<void> {
  await waitFor(
    `apply to write to ${table}`,
    async () =>
      (await numberFrom(
        `SELECT count(*)::int AS n FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
          WHERE a.application_name = $1 AND l.relation = $2::regclass AND l.mode = 'RowExclusiveLock'`,
        [`sluice apply ${taskId}`, table],
      )) > 0,
    { intervalMs: 2 },
  );
}

/** The table's file is a device that is always full, as the kernel says it of a disk. @returns what gives room again */
async function fillDiskBehind(table: string): Promise<() => Promise<void>> {
  const client = await target.connect();
  const { rows } = await client.query<{ file: string }>('SELECT pg_relation_filepath($1::regclass) AS file', [table]);
  await client.end();
  const file = path.join(server.dataDir, rows[0]?.file ?? '');
  expect(existsSync(file)).toBe(true);
  renameSync(file, `${file}.kept`);
  symlinkSync('/dev/full', file);
  return () => {
    rmSync(file);
    renameSync(`${file}.kept`, file);
    return Promise.resolve();
  };
}
