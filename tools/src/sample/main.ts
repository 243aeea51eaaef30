/**
 * Fills a database with the sample and writes to it until SIGTERM: node tools/dist/sample/main.js URL
 * A database that has the sample already is not filled again.
 */
import { connect, type Endpoint, parseConnectionUrl } from '@sluice/postgres-client';
import { loadSample } from './load-sample.js';
import { startTraffic } from './traffic/traffic.js';

const SCALE = 1;
const SEED = 1;

async function hasSample(endpoint: Endpoint): Promise<boolean> {
  await using client = await connect(endpoint, { applicationName: 'sample data' });
  // The last thing that loading makes.
  const { rows } = await client.query<{ exists: boolean }>(
    `SELECT to_regclass('analytics.best_sellers') IS NOT NULL AS exists`,
  );
  return rows[0]?.exists === true;
}

const endpoint = parseConnectionUrl(process.argv[2] ?? '', 'the database to fill');
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop.abort());

if (!(await hasSample(endpoint))) await loadSample(endpoint, { scale: SCALE });
process.stdout.write('the sample is there; writing to it until SIGTERM\n');
await startTraffic(endpoint, { signal: stop.signal, seed: SEED }).done;
