import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Client, connect, type Endpoint } from '@sluice/postgres-client';
import { faultProxy, type FaultProxy, testDatabase, type TestDatabase, waitFor } from '../index.js';

let database: TestDatabase;
let proxy: FaultProxy;
const endpoint = (): Endpoint => ({ ...database.endpoint, host: proxy.host, port: proxy.port });
const open = (): Promise<Client> => connect(endpoint(), { applicationName: 'spec', connectTimeoutMs: 2000 });

describe('faultProxy', () => {
  beforeEach(async () => {
    database = await testDatabase();
    proxy = await faultProxy({ target: database.endpoint });
  });
  afterEach(async () => {
    await proxy[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  it('passes everything on while nothing is wrong', async () => {
    await using client = await open();
    const { rows } = await client.query<{ text: string }>("SELECT repeat('x', 3000000) AS text");
    expect(rows[0]?.text.length).toBe(3_000_000);
    expect(proxy.connectionCount).toBe(1);
  });

  it('cuts connections and accepts new ones', async () => {
    const client = await open();
    const running = client.query('SELECT pg_sleep(60)');
    proxy.cut();
    await expect(running).rejects.toThrow(/terminated|ECONNRESET/);
    await using again = await open();
    await again.query('SELECT 1');
  });

  it('refuses new connections until it is restored', async () => {
    await proxy.refuse();
    await expect(open()).rejects.toMatchObject({ code: 'SLUICE-1003' });
    await proxy.restore();
    await using client = await open();
    await client.query('SELECT 1');
  });

  it('delays', async () => {
    await using client = await open();
    proxy.delay(150);
    const startedAt = Date.now();
    await client.query('SELECT 1');
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(295);
    proxy.delay(0);
  });

  it('swallows bytes while half open', async () => {
    const client = await open();
    proxy.halfOpen();
    const running = client.query('SELECT 1');
    running.catch(() => undefined);
    await expect(open()).rejects.toThrow();
    await proxy.restore();
    await expect(running).rejects.toThrow(/terminated|ECONNRESET/);
  });

  it('cuts after a number of bytes', async () => {
    const client = await open();
    const cut = proxy.cutAfterBytes(100_000);
    await expect(client.query("SELECT repeat('x', 1000) FROM generate_series(1, 1000)")).rejects.toThrow(
      /terminated|ECONNRESET/,
    );
    await cut;
  });

  it.each([
    ['before', false, []],
    ['after', true, [{ a: 1 }]],
  ])('cuts when a command passes, %s the server has it', async (_when, deliver, expected) => {
    await database.query('CREATE TABLE t (a int)');
    const client = await open();
    // The zero byte that ends a query message belongs to what must arrive.
    const cut = proxy.cutOn('/* here */\0', { direction: 'to-server', deliver });
    await expect(client.query('INSERT INTO t VALUES (1) /* here */')).rejects.toThrow(/terminated|ECONNRESET/);
    await cut;
    const rows = (): Promise<unknown[]> => database.query('SELECT a FROM t');
    await waitFor('the insert', async () => (await rows()).length === expected.length);
    expect(await rows()).toEqual(expected);
  });

  it('cuts between the commit on the server and its answer', async () => {
    await database.query('CREATE TABLE t (a int)');
    const client = await open();
    await client.query('BEGIN; INSERT INTO t VALUES (1)');
    const cut = proxy.cutOn('COMMIT', { direction: 'to-client' });
    await expect(client.query('COMMIT')).rejects.toThrow(/terminated|ECONNRESET/);
    await cut;
    expect(await database.query('SELECT a FROM t')).toEqual([{ a: 1 }]);
  });
});
