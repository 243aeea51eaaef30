import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { helperObjectName } from '@sluice/contracts';
import { type PostgresServer } from '@sluice/embedded';
import { type Endpoint, quoteIdentifier, quoteLiteral } from '@sluice/postgres-client';
import {
  dedicatedServer,
  type FaultProxy,
  faultProxy,
  testDatabase,
  type TestDatabase,
  waitFor,
} from '@sluice/testing';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { type RunningTask, underTraffic } from '../../src/fault-scenario.js';
import { helperObjects } from '../../src/helper-objects.js';
import { MIXED } from '../../src/mixed-schema.js';

const FAULTS = `
CREATE SCHEMA faults;
CREATE TABLE faults.published (n integer PRIMARY KEY);
`;
/** A source that is silent for twice as long is taken for dead. */
const WAL_SENDER_TIMEOUT = '2s';

let cluster: Cluster;
let server: PostgresServer;
let source: TestDatabase;
let target: TestDatabase;
let account: Endpoint;
let proxy: FaultProxy;
let taskId: string;
let seed = 0;

const throughProxy = (endpoint: Endpoint): { endpoint: Endpoint } => ({
  endpoint: { ...endpoint, host: proxy.host, port: proxy.port },
});
const traffic = (): Promise<RunningTask> => underTraffic({ cluster, taskId, source, target, seed: (seed += 1) });

beforeAll(async () => {
  cluster = await startCluster({ env: { SLUICE_CAPTURE_COVERAGE_INTERVAL_MS: '300' } });
  server = await dedicatedServer({ settings: { wal_sender_timeout: WAL_SENDER_TIMEOUT } });
  source = await testDatabase({ server, schema: MIXED + FAULTS });
  account = await source.createRole('SUPERUSER');
  target = await cluster.targetDatabase();
  proxy = await faultProxy({ target: server });
  taskId = await cluster.createAndStart({ source: throughProxy(account), target });
  await cluster.untilState(taskId, 'incremental');
  await untilCaughtUp(source, target);
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await source[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

describe('a task goes on by itself', () => {
  it.each(['fast', 'immediate'] as const)('after the source was restarted (%s)', async (mode) => {
    await using task = await traffic();
    for (let restart = 0; restart < 2; restart += 1) {
      await task.writers.untilMore(40);
      await server.restart({ mode });
    }
    await task.expectEqual();
  });

  it('after its walsender was killed again and again', async () => {
    await using task = await traffic();
    let killed = 0;
    while (killed < 8) {
      await task.writers.untilMore(10);
      killed += await onSource(
        'SELECT count(pg_terminate_backend(active_pid))::int AS n FROM pg_replication_slots WHERE slot_name = $1',
        [helperObjectName(taskId)],
      );
    }
    await task.expectEqual();
  });

  it('after its connections to the source went silent', async () => {
    await using task = await traffic();
    proxy.halfOpen();
    await task.untilRecovering('SLUICE-1012');
    expect(proxy.swallowedBytes).toBeGreaterThan(0);
    await proxy.restore();
    await task.expectEqual();
  });
});

describe('a task fails by name and goes on when it is told to', () => {
  it('after a table was taken out of the publication and put back', async () => {
    await using task = await traffic();
    const publication = quoteIdentifier(helperObjectName(taskId));
    await onSource(`ALTER PUBLICATION ${publication} DROP TABLE faults.published`);
    const error = await cluster.untilFailed(taskId, 'incremental_failed', 'SLUICE-4005');
    expect(error.detail).toContain('faults.published');
    expect(error.remedy).toContain('Restore the publication');
    await task.writers.untilMore(50);
    await onSource(`ALTER PUBLICATION ${publication} ADD TABLE faults.published`);
    await cluster.api.act(taskId, 'retry');
    await onSource('INSERT INTO faults.published VALUES (1)');
    await task.expectEqual();
  });

  it('after the publication was dropped and made again', async () => {
    const publication = quoteIdentifier(helperObjectName(taskId));
    const remake = await source.query<{ sql: string }>(
      `SELECT format('CREATE PUBLICATION %s FOR TABLE %s WITH (publish_via_partition_root = %s)', $1::text,
                string_agg(r.prrelid::regclass::text, ', '), p.pubviaroot::text) AS sql
         FROM pg_publication AS p JOIN pg_publication_rel AS r ON r.prpubid = p.oid
        WHERE p.pubname = $2 GROUP BY p.pubviaroot`,
      [publication, helperObjectName(taskId)],
    );
    await onSource(`DROP PUBLICATION ${publication}`);
    await cluster.untilFailed(taskId, 'incremental_failed', 'SLUICE-4005');
    await onSource(remake[0]?.sql ?? '');
    await cluster.api.act(taskId, 'retry');
    await cluster.untilState(taskId, 'incremental');
    await using task = await traffic();
    await task.expectEqual();
  });

  it('after the password of its account was changed, which it does not try again and again', async () => {
    await using task = await traffic();
    const refusedBefore = refusals();
    await onSource(`ALTER ROLE ${account.user} PASSWORD 'another one'`);
    // The stream itself still runs: whoever only looks at the source must not try again and again either.
    await onSource(
      `SELECT count(pg_terminate_backend(pid))::int AS n FROM pg_stat_activity
        WHERE usename = $1 AND backend_type <> 'walsender'`,
      [account.user],
    );
    const error = await cluster.untilFailed(taskId, 'incremental_failed', 'SLUICE-1005');
    expect(error.remedy).toContain('not retried');
    await task.writers.untilMore(150);
    // Accounts are locked after three at the least.
    expect(refusals() - refusedBefore).toBeLessThanOrEqual(2);
    expect(refusals()).toBeGreaterThan(refusedBefore);
    await onSource(`ALTER ROLE ${account.user} PASSWORD ${quoteLiteral(account.password.reveal())}`);
    await cluster.api.act(taskId, 'retry');
    await task.expectEqual();
  });
});

describe('a task fails by name and can be started over', () => {
  it('after somebody dropped its slot', async () => {
    await using task = await traffic();
    await dropSlot(helperObjectName(taskId));
    const error = await cluster.untilFailed(taskId, 'incremental_failed', 'SLUICE-4001');
    expect(error.remedy).toContain('Start the task over');
    await task.writers.stop();
    await cluster.api.act(taskId, 'end');
    await cluster.untilState(taskId, 'ended');
    expect(await helperObjects(taskId, { source, target })).toEqual([]);
    const freshTarget = await cluster.targetDatabase();
    taskId = await cluster.createAndStart({ source: throughProxy(account), target: freshTarget });
    await cluster.untilState(taskId, 'incremental');
    target = freshTarget;
    await using again = await traffic();
    await again.expectEqual();
  });

  it('after its slot was invalidated by max_slot_wal_keep_size', async () => {
    await using task = await traffic();
    await cluster.api.act(taskId, 'pause');
    await cluster.untilState(taskId, 'paused');
    await onSource("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'");
    await onSource('SELECT pg_reload_conf()');
    await waitFor('the slot to be invalidated', async () => {
      await onSource('CREATE TEMP TABLE ballast AS SELECT repeat(md5(n::text), 30) FROM generate_series(1, 1000) AS n');
      await onSource('SELECT pg_switch_wal()');
      await onSource('CHECKPOINT');
      return (
        (await onSource(
          "SELECT count(*)::int AS n FROM pg_replication_slots WHERE slot_name = $1 AND wal_status = 'lost'",
          [helperObjectName(taskId)],
        )) === 1
      );
    });
    await cluster.api.act(taskId, 'resume');
    const error = await cluster.untilFailed(taskId, 'incremental_failed', 'SLUICE-4003');
    expect(error.remedy).toContain('max_slot_wal_keep_size');
    await task.writers.stop();
    await cluster.api.act(taskId, 'end');
    await cluster.untilState(taskId, 'ended');
    expect(await helperObjects(taskId, { source, target })).toEqual([]);
  });
});

/** On a session of its own: the test's other ones may have died with the server. @returns `n` of the first row */
async function onSource(sql: string, parameters: readonly unknown[] = []): Promise<number> {
  const client = await source.connect();
  const { rows } = await client.query<{ n: number }>(sql, [...parameters]);
  await client.end();
  return rows?.[0]?.n ?? 0;
}

/** Its reader comes back at once: whoever drops it has to be quick. */
async function dropSlot(slotName: string): Promise<void> {
  await onSource(
    `DO $$ BEGIN
       LOOP
         PERFORM pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(slotName)};
         BEGIN
           PERFORM pg_drop_replication_slot(${quoteLiteral(slotName)});
           RETURN;
         EXCEPTION WHEN object_in_use THEN PERFORM pg_sleep(0.001);
         END;
       END LOOP;
     END $$`,
  );
}

function refusals(): number {
  const log = readFileSync(path.join(server.dataDir, 'server.log'), 'utf8');
  return log.split(`password authentication failed for user "${account.user}"`).length - 1;
}
