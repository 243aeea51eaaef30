import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { type PostgresServer } from '@sluice/embedded';
import { connect, type Client } from '@sluice/postgres-client';
import { dedicatedServer, waitFor } from '@sluice/testing';
import { FlushedCommits } from './flushed-commits.js';

let server: PostgresServer;
let session: Client;

beforeAll(async () => {
  // Whoever sets synchronous_commit to on waits for a standby that never comes.
  const settings = { autovacuum: 'off', synchronous_standby_names: 'nobody', synchronous_commit: 'local' };
  server = await dedicatedServer({ settings });
  session = await connect(server.endpoint('postgres'), { applicationName: 'test' });
  await session.query('CREATE TABLE checkpoint (lsn int); INSERT INTO checkpoint VALUES (0)');
});
afterAll(async () => {
  await session.end();
  await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await session.query('SET synchronous_commit = local; UPDATE checkpoint SET lsn = 0');
});

it('has a commit when it is on disk, and not when it can only be seen', async () => {
  await using commits = await FlushedCommits.of(server);
  expect(await commits.has(await seenXid())).toBe(true);
  {
    using _pause = await pauseWalWriter();
    await session.query('SET synchronous_commit = off; UPDATE checkpoint SET lsn = 1');
    expect(await commits.has(await seenXid())).toBe(false);
  }
  const xid = await seenXid();
  await waitFor('the commit to be on disk', () => commits.has(xid));
});

it('holds nothing against a commit between the look and the first question', async () => {
  await using commits = await FlushedCommits.of(server);
  const before = await seenXid();
  await session.query('UPDATE checkpoint SET lsn = 1');
  expect(await commits.has(before)).toBe(true);
  expect(await commits.has(await seenXid())).toBe(true);
});

it('holds nothing against a commit that was on disk before it began and is seen only later', async () => {
  await using commits = await FlushedCommits.of(server);
  await using stalled = await stallBeforeVisible('UPDATE checkpoint SET lsn = 1');
  const before = await seenXid();
  expect(await commits.has(before)).toBe(true);
  expect(await commits.has(before)).toBe(true);
  await stalled.letGo();
  const after = await seenXid();
  expect(after).not.toBe(before);
  expect(await commits.has(after)).toBe(true);
});

async function seenXid(): Promise<string> {
  const { rows } = await session.query<{ xid: string }>('SELECT xmin::text AS xid FROM checkpoint');
  return rows[0]?.xid ?? '';
}

/** It is the only one that writes commits to disk that nobody waits for. */
async function pauseWalWriter(): Promise<Disposable> {
  const { rows } = await session.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'`,
  );
  const pid = rows[0]?.pid ?? 0;
  process.kill(pid, 'SIGSTOP');
  return { [Symbol.dispose]: () => void process.kill(pid, 'SIGCONT') };
}

/** Its commit is on disk and waits for a standby, which a server does before others see what was written; one that gets no processor then is the same. */
async function stallBeforeVisible(sql: string): Promise<{ letGo(): Promise<void> } & AsyncDisposable> {
  const writer = await connect(server.endpoint('postgres'), { applicationName: 'stalled' });
  await writer.query('SET synchronous_commit = on');
  const written = writer.query(sql);
  const letGo = async (): Promise<void> => {
    await session.query(`SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`);
    await written;
  };
  await waitFor('the commit to wait', isWaitingForStandby);
  return {
    letGo,
    [Symbol.asyncDispose]: async () => {
      await letGo();
      await writer.end();
    },
  };
}

async function isWaitingForStandby(): Promise<boolean> {
  const { rowCount } = await session.query(`SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'`);
  return rowCount === 1;
}
