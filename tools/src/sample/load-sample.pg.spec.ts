import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type PostgresServer, startPostgres, TEST_SETTINGS } from '@sluice/embedded';
import { type Client, connect } from '@sluice/postgres-client';
import { mkdtemp } from 'node:fs/promises';
import { loadSample } from './load-sample.js';
import { startTraffic } from './traffic/traffic.js';

/** Every action of the traffic is likely among this many transactions. */
const ENOUGH_TRANSACTIONS = 400;

let server: PostgresServer;
let client: Client;

beforeAll(async () => {
  const dataDir = await mkdtemp('/tmp/sluice-sample-');
  server = await startPostgres({ dataDir, settings: TEST_SETTINGS, temporary: true });
  client = await connect(server.endpoint('postgres'), { applicationName: 'sample spec' });
  await loadSample(server.endpoint('postgres'), { scale: 0.02 });
});
afterAll(async () => {
  await client.end();
  await server[Symbol.asyncDispose]();
});

async function one(query: string): Promise<number> {
  const { rows } = await client.query<{ value: string }>(query);
  return Number(rows[0]?.value);
}

describe('the sample database', () => {
  it('has more than thirty tables in three schemas, and rows in all but one', async () => {
    const tables = await client.query<{ name: string; rows: string }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name,
              (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I.%I', n.nspname, c.relname), true, true, '')))[1]::text AS rows
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname IN ('shop', 'warehouse', 'analytics') AND c.relkind IN ('r', 'p') AND NOT c.relispartition`,
    );
    expect(tables.rows.length).toBeGreaterThan(30);
    expect(
      tables.rows
        .filter(({ rows }) => rows === '0')
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['analytics.audit_log', 'warehouse.recalls']);
  });

  it('holds values that are stored out of line', async () => {
    expect(await one('SELECT max(length(content)) AS value FROM shop.product_images')).toBeGreaterThan(8192);
  });

  it('takes live traffic that the constraints accept', async () => {
    const stop = new AbortController();
    const traffic = startTraffic(server.endpoint('postgres'), {
      signal: stop.signal,
      seed: 7,
      transactionsPerSecond: 1000,
    });
    await traffic.reached(ENOUGH_TRANSACTIONS);
    await traffic.pause();
    const { transactions } = traffic.stats();
    expect(traffic.stats().transactions).toBe(transactions);
    traffic.resume();
    await traffic.reached(transactions + 10);
    stop.abort();
    await traffic.done;
    expect(traffic.stats().refused).toBeLessThan(transactions / 20);
    expect(await one('SELECT count(*) AS value FROM analytics.audit_log')).toBeGreaterThan(0);
  });
});
