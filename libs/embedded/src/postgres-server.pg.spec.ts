import { describe, expect, it } from '@jest/globals';
import { Secret } from '@sluice/kernel';
import { connect, type Endpoint } from '@sluice/postgres-client';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { POSTGRES_MAJORS, type PostgresServer, startPostgres, TEST_SETTINGS } from './index.js';

const start = async (more: { major?: PostgresServer['major']; port?: number } = {}): Promise<PostgresServer> => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'sluice-spec-'));
  return startPostgres({ dataDir, settings: TEST_SETTINGS, temporary: true, ...more });
};

async function ask(endpoint: Endpoint, sql: string): Promise<string> {
  await using client = await connect(endpoint, { applicationName: 'embedded spec' });
  const { rows } = await client.query<{ answer: string }>(sql);
  return rows[0]?.answer ?? '';
}

describe('startPostgres', () => {
  it.each(POSTGRES_MAJORS)('starts PostgreSQL %i with a pgoutput slot, over TCP and its socket', async (major) => {
    await using server = await start({ major });
    const version = "SELECT current_setting('server_version_num')::int / 10000 AS answer";
    expect(await ask(server.endpoint('postgres'), version)).toBe(major);
    const overSocket = { ...server.endpoint('postgres'), host: server.socketDir };
    const slot = "SELECT slot_name AS answer FROM pg_create_logical_replication_slot('s', 'pgoutput')";
    expect(await ask(overSocket, slot)).toBe('s');
  });

  it('refuses a wrong password', async () => {
    await using server = await start();
    const endpoint = { ...server.endpoint('postgres'), password: new Secret('wrong') };
    await expect(ask(endpoint, 'SELECT 1 AS answer')).rejects.toMatchObject({ code: 'SLUICE-1005' });
  });

  it('keeps committed rows over kill9 and restart, and takes new settings', async () => {
    await using server = await start();
    await ask(server.endpoint('postgres'), 'CREATE TABLE t AS SELECT 42 AS a');
    await server.kill9();
    expect(server.isRunning()).toBe(false);
    await server.restart({ settings: { work_mem: '7MB' } });
    expect(await ask(server.endpoint('postgres'), 'SELECT a AS answer FROM t')).toBe(42);
    expect(await ask(server.endpoint('postgres'), "SELECT current_setting('work_mem') AS answer")).toBe('7MB');
  });

  it('names a port that is taken', async () => {
    await using first = await start();
    await expect(start({ port: first.port })).rejects.toMatchObject({ failure: 'port-taken' });
  });

  it('leaves no folder behind', async () => {
    const server = await start();
    await server[Symbol.asyncDispose]();
    expect([existsSync(server.dataDir), existsSync(server.socketDir)]).toEqual([false, false]);
  });
});
