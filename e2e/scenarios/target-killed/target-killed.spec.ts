import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type PostgresServer } from '@sluice/embedded';
import { type Lsn, parseLsn } from '@sluice/model';
import { connect } from '@sluice/postgres-client';
import { dedicatedServer, expectSameRows, testDatabase, type TestDatabase, waitFor } from '@sluice/testing';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { MIXED } from '../../src/mixed-schema.js';
import { auditConfirmations, watchBank, watchOrder } from '../../src/properties.js';
import { startWriters } from '../../src/writers.js';

/** What the server has committed and not written yet dies with it: a second of it, instead of 200 ms at most. */
const LAZY_SERVER = { wal_writer_delay: '1s', wal_buffers: '16MB' };
const KILLS = 3;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(async () => cluster[Symbol.asyncDispose]());

it('ends equal when the target server is killed and loses commits that apply has made already', async () => {
  await using server = await dedicatedServer({ settings: LAZY_SERVER });
  await using target = await testDatabase({ server });
  const source = await cluster.sourceDatabase(MIXED);
  await using writers = await startWriters(source, 1);
  const taskId = await cluster.createAndStart({ source, target });
  await cluster.untilState(taskId, 'incremental');
  await untilCaughtUp(source, target);
  await using audit = await auditConfirmations({ source, target }, taskId);
  await using bank = await watchBank({ source, target });
  await using order = await watchOrder({ source, target });
  let lostBytes = 0n;
  for (let kill = 0; kill < KILLS; kill += 1) {
    await writers.untilMore(150);
    const writtenLsn = await insertPosition(target);
    await server.kill9();
    await server.restart();
    const kept = recoveredLsn(server);
    if (kept < writtenLsn) lostBytes += writtenLsn - kept;
  }
  expect(lostBytes).toBeGreaterThan(0n);
  await writers.untilMore(100);
  const watches = [audit, bank, order];
  const haveLooked = async (): Promise<boolean> => watches.every((watch) => watch.samples() > 20);
  await waitFor('the watches to have looked often enough', haveLooked);
  expect(await writers.stop()).toBeGreaterThan(150 * KILLS);
  await untilCaughtUp(source, target);
  await expectSameRows(source, target);
  for (const watch of watches) expect(await watch.stop()).toEqual([]);
  await cluster.api.act(taskId, 'end');
  await cluster.untilState(taskId, 'ended');
});

async function insertPosition({ endpoint }: TestDatabase): Promise<Lsn> {
  await using client = await connect(endpoint, { applicationName: 'e2e' });
  const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  return parseLsn(rows[0]?.lsn ?? '0/0');
}

/** How far the WAL went that the server found after the crash. */
function recoveredLsn({ dataDir }: PostgresServer): Lsn {
  const log = readFileSync(path.join(dataDir, 'server.log'), 'utf8');
  return parseLsn([...log.matchAll(/redo done at ([0-9A-F]+\/[0-9A-F]+)/g)].at(-1)?.[1] ?? '0/0');
}
