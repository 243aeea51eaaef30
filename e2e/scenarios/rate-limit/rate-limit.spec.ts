import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { expectSameRows, waitFor } from '@sluice/testing';
import { type Cluster, startCluster } from '../../src/cluster.js';

const MEGABYTES = 40;
const LARGE = `
  CREATE TABLE large (id int PRIMARY KEY, filler text);
  INSERT INTO large SELECT i, repeat('x', 1000) FROM generate_series(1, ${MEGABYTES * 1000}) AS i`;
const SLOW = { mode: 'all_day', megabytesPerSecond: 1 } as const;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ replicas: 2, env: { SLUICE_FULL_LOAD_CHUNK_MB: '1' } });
});
afterAll(async () => cluster[Symbol.asyncDispose]());

async function setLimit(taskId: string, rateLimit: object): Promise<number> {
  const response = await fetch(`${cluster.apiUrl}/api/v1/tasks/${taskId}/rate-limit`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${cluster.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(rateLimit),
  });
  return response.status;
}

it('a load of several processes keeps to its limit together, and is free as soon as that is off', async () => {
  const source = await cluster.sourceDatabase(LARGE);
  const target = await cluster.targetDatabase();
  const copied = async (): Promise<number> => {
    const [ledger] = await target.query(`SELECT to_regclass('sluice.chunk') IS NOT NULL AS "isThere"`);
    if (ledger?.['isThere'] !== true) return 0;
    const [row] = await target.query('SELECT coalesce(sum(bytes), 0)::float8 AS bytes FROM sluice.chunk');
    return Number(row?.['bytes']);
  };
  const taskId = await cluster.create({ source, target }, { rateLimit: SLOW });
  const startMs = performance.now();
  await cluster.api.act(taskId, 'start');
  const bytes = await waitFor('some megabytes', async () => {
    const now = await copied();
    return now > 6_000_000 && now;
  });
  expect((bytes / (performance.now() - startMs)) * 1000).toBeLessThan(1_000_000);

  const offAtMs = performance.now();
  expect(await setLimit(taskId, { mode: 'off' })).toBe(200);
  await cluster.untilState(taskId, 'incremental');
  // What is left would have taken half a minute.
  expect(performance.now() - offAtMs).toBeLessThan(25_000);
  await expectSameRows(source, target);
  expect(await setLimit(taskId, SLOW)).toBe(409);
});
