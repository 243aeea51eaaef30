import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type PostgresServer, startPostgres, TEST_SETTINGS } from '@sluice/embedded';
import { type Client, connect } from '@sluice/postgres-client';
import { mkdtemp } from 'node:fs/promises';
import { findLeftovers, helperObjects, lookBefore } from './leftovers.js';

const TASK_ID = '0b5f7f8e-6f8e-4b9e-9b53-111111111111';

let server: PostgresServer;
let client: Client;

beforeAll(async () => {
  server = await startPostgres({
    dataDir: await mkdtemp('/tmp/sluice-left-'),
    settings: TEST_SETTINGS,
    temporary: true,
  });
  client = await connect(server.endpoint('postgres'), { applicationName: 'leftovers spec' });
  await client.query('CREATE DATABASE copy');
});
afterAll(async () => {
  await client.end();
  await server[Symbol.asyncDispose]();
});

it('finds slot, publication and schema, and its statements remove them', async () => {
  const databases = { source: server.endpoint('postgres'), target: server.endpoint('copy') };
  const before = await lookBefore(databases);
  await using target = await connect(databases.target, { applicationName: 'leftovers spec' });
  expect(await findLeftovers(databases, TASK_ID, before)).toEqual([]);

  const name = `sluice_${TASK_ID.replaceAll('-', '')}`;
  await client.query(`SELECT pg_create_logical_replication_slot('${name}', 'pgoutput')`);
  await client.query(`CREATE PUBLICATION ${name}`);
  await target.query('CREATE SCHEMA sluice');
  expect(await findLeftovers(databases, TASK_ID, before)).toEqual(helperObjects(TASK_ID));
  // A schema that was there before is another task's.
  expect(await findLeftovers(databases, TASK_ID, await lookBefore(databases))).toHaveLength(2);

  for (const { side, dropSql } of helperObjects(TASK_ID)) await (side === 'source' ? client : target).query(dropSql);
  expect(await findLeftovers(databases, TASK_ID, before)).toEqual([]);
});
