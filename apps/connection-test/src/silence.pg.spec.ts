import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Client, connect, isConnectionLoss } from '@sluice/postgres-client';
import { faultProxy, type FaultProxy, testDatabase, type TestDatabase, waitFor } from '@sluice/testing';

const SILENCE_MS = 300;

let database: TestDatabase;
let proxy: FaultProxy;
let client: Client;

describe('a session that waits for an answer', () => {
  beforeEach(async () => {
    database = await testDatabase();
    proxy = await faultProxy({ target: database.endpoint });
    client = await connect(
      { ...database.endpoint, host: proxy.host, port: proxy.port },
      { applicationName: 'silent', pipeline: true, silenceMs: SILENCE_MS },
    );
  });
  afterEach(async () => {
    await client[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  it('ends as lost when the network swallows its bytes', async () => {
    proxy.halfOpen();
    const failure = await client.query('SELECT 1').catch((error: unknown) => error);
    expect(isConnectionLoss(failure)).toBe(true);
  });

  it('ends as lost when only its own connection is dead', async () => {
    await client.query('SELECT 1');
    // The answer of this one is lost, the connections after it are sound.
    proxy.halfOpen();
    const running = client.query('SELECT 2').catch((error: unknown) => error);
    await waitFor('the statement to have been swallowed', () => proxy.swallowedBytes > 0);
    proxy.passNewConnections();
    expect(isConnectionLoss(await running)).toBe(true);
  });

  it('goes on waiting for a statement that takes long', async () => {
    const { rows } = await client.query<{ done: number }>('SELECT 1 AS done FROM pg_sleep($1)', [
      (5 * SILENCE_MS) / 1000,
    ]);
    expect(rows).toEqual([{ done: 1 }]);
  });

  it('goes on waiting for a lock', async () => {
    await using holder = await connect(database.endpoint, { applicationName: 'holder' });
    await holder.query('CREATE TABLE t (a int)');
    await holder.query('BEGIN; LOCK TABLE t');
    const inserted = client.query('INSERT INTO t VALUES (1)');
    await holder.query('SELECT pg_sleep($1)', [(5 * SILENCE_MS) / 1000]);
    await holder.query('COMMIT');
    expect((await inserted).rowCount).toBe(1);
  });

  it('is left alone while nobody asks it anything', async () => {
    await using other = await connect(database.endpoint, { applicationName: 'clock' });
    await other.query('SELECT pg_sleep($1)', [(5 * SILENCE_MS) / 1000]);
    expect((await client.query('SELECT 1')).rowCount).toBe(1);
  });

  it('is closed in time when nobody answers its farewell', async () => {
    proxy.halfOpen();
    await client[Symbol.asyncDispose]();
    expect(client.connection.stream.destroyed).toBe(true);
  });
});
