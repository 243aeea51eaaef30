import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type PostgresServer, startPostgres, TEST_SETTINGS } from '@sluice/embedded';
import { type Client, connect } from '@sluice/postgres-client';
import { mkdtemp } from 'node:fs/promises';
import { holdSource } from './source-hold.js';

let server: PostgresServer;
let client: Client;

beforeAll(async () => {
  server = await startPostgres({
    dataDir: await mkdtemp('/tmp/sluice-hold-'),
    settings: TEST_SETTINGS,
    temporary: true,
  });
  client = await connect(server.endpoint('postgres'), { applicationName: 'hold spec' });
  await client.query('CREATE TABLE batch (id int); INSERT INTO batch SELECT generate_series(1, 10)');
});
afterAll(async () => {
  await client.end();
  await server[Symbol.asyncDispose]();
});

it('lets writes pass and makes TRUNCATE wait, so that the snapshot stays readable', async () => {
  const held = await holdSource(server.endpoint('postgres'), new AbortController().signal);
  await client.query('INSERT INTO batch VALUES (11)');
  await client.query(`SET lock_timeout = '50ms'`);
  await expect(client.query('TRUNCATE batch')).rejects.toThrow(/lock timeout/);
  await using reader = await connect(server.endpoint('postgres'), { applicationName: 'hold spec' });
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await reader.query(`SET TRANSACTION SNAPSHOT '${held.snapshotName}'`);
  const { rows } = await reader.query('SELECT count(*)::int AS count FROM batch');
  expect(rows).toEqual([{ count: 10 }]);
  await reader.query('COMMIT');
  await held[Symbol.asyncDispose]();
  await client.query('TRUNCATE batch');
});
