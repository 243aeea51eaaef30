import { helperObjectName } from '@sluice/contracts';
import { delay } from '@sluice/kernel';
import { type Lsn, parseLsn } from '@sluice/model';
import { openWalStream } from '@sluice/postgres-replication';
import { quoteLiteral } from '@sluice/postgres-client';
import { type BenchServers, checkpointBoth, execute, openClient, restoreDatabase } from './bench-servers.js';
import { requireEqual } from './equality.js';
import { type System } from './measurement.js';
import { createPgbenchDatabase, runTpcB } from './pgbench-database.js';
import { overTcp, type SluiceStack } from './sluice-stack.js';

const SCALE = 10;
const TRANSACTIONS = 60_000;
const DATABASE = 'bench';
/** Keeps the backlog; every run reads a copy of it. */
const BACKLOG_SLOT = 'backlog';
const PUBLICATION = 'bench_publication';
const MARKER_POLL_MS = 5;
const DEADLINE_MS = 10 * 60_000;

interface Backlog {
  readonly taskId: string;
  readonly slotName: string;
  readonly endLsn: Lsn;
}

/** A backlog of TPC-B transactions waits in the slot: sluice, native replication, and a reader that throws the bytes away. */
export async function oltpSystems(
  servers: BenchServers,
  { sluice, scale, report }: { sluice: SluiceStack; scale: number; report: (line: string) => void },
): Promise<System[]> {
  const backlog = await makeBacklog(servers, { sluice, transactionCount: Math.round(TRANSACTIONS * scale), report });
  return [sluiceSystem(servers, sluice, backlog), nativeSystem(servers), readerSystem(servers, backlog)];
}

async function makeBacklog(
  servers: BenchServers,
  options: { sluice: SluiceStack; transactionCount: number; report: (line: string) => void },
): Promise<Backlog> {
  const { source, target } = servers;
  const { sluice, transactionCount, report } = options;
  report(`making the base: pgbench scale ${SCALE}`);
  await createPgbenchDatabase(source, DATABASE, SCALE);
  await execute(
    source,
    DATABASE,
    'CREATE TABLE marker (id int PRIMARY KEY)',
    `CREATE PUBLICATION ${PUBLICATION} FOR ALL TABLES`,
  );
  await execute(target, 'postgres', 'CREATE DATABASE bench_sluice');
  const taskId = await sluice.createTask('bench-oltp', {
    source: overTcp(source, DATABASE),
    target: overTcp(target, 'bench_sluice'),
  });
  const slotName = helperObjectName(taskId);
  await sluice.api.act(taskId, 'start');
  await sluice.untilState(taskId, 'incremental');
  await sluice.api.act(taskId, 'pause');
  await sluice.untilState(taskId, 'paused');
  await untilUnused(servers, slotName);
  await untilNoSessions(servers, 'bench_sluice');
  await restoreDatabase(target, 'base_sluice', 'bench_sluice');
  await restoreDatabase(target, 'base_native', 'bench_sluice');
  await execute(target, 'base_native', 'DROP SCHEMA sluice CASCADE');
  await execute(
    source,
    DATABASE,
    `SELECT pg_copy_logical_replication_slot(${quoteLiteral(slotName)}, '${BACKLOG_SLOT}')`,
  );
  report(`making the backlog: ${transactionCount} transactions, ${transactionCount * 4} changes`);
  await runTpcB(source, DATABASE, { scale: SCALE, count: transactionCount });
  await execute(source, DATABASE, 'INSERT INTO marker VALUES (1)');
  await using client = await openClient(source, DATABASE);
  const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  return { taskId, slotName, endLsn: parseLsn(rows[0]?.lsn ?? '') };
}

function sluiceSystem(servers: BenchServers, sluice: SluiceStack, { taskId, slotName }: Backlog): System {
  const database = 'bench_sluice';
  return {
    name: 'sluice',
    prepare: async () => {
      const task = await sluice.api.getTask(taskId);
      if (task.state !== 'paused') {
        await sluice.api.act(taskId, 'pause');
        await sluice.untilState(taskId, 'paused');
      }
      await untilUnused(servers, slotName);
      await restoreDatabase(servers.target, database, 'base_sluice');
      await restoreSlot(servers, slotName);
      await checkpointBoth(servers);
    },
    run: async () => {
      await sluice.api.act(taskId, 'resume');
      await untilMarked(servers, database);
    },
    verify: () => verifyEqual(servers, database),
  };
}

function nativeSystem(servers: BenchServers): System {
  const database = 'bench_native';
  const subscribed = { slot: 'native_slot', name: 'bench_subscription' };
  return {
    name: 'native',
    prepare: async () => {
      const { source, target } = servers;
      await restoreDatabase(target, database, 'base_native');
      await restoreSlot(servers, subscribed.slot);
      const { user, password } = source.endpoint(DATABASE);
      const conninfo = `host=${source.host} port=${source.port} dbname=${DATABASE} user=${user} password=${password.reveal()}`;
      await execute(
        target,
        database,
        `CREATE SUBSCRIPTION ${subscribed.name} CONNECTION ${quoteLiteral(conninfo)} PUBLICATION ${PUBLICATION}
         WITH (create_slot = false, slot_name = '${subscribed.slot}', copy_data = false, enabled = false)`,
      );
      await checkpointBoth(servers);
    },
    run: async () => {
      await execute(servers.target, database, `ALTER SUBSCRIPTION ${subscribed.name} ENABLE`);
      await untilMarked(servers, database);
    },
    verify: async () => {
      await execute(
        servers.target,
        database,
        `ALTER SUBSCRIPTION ${subscribed.name} DISABLE`,
        `ALTER SUBSCRIPTION ${subscribed.name} SET (slot_name = NONE)`,
        `DROP SUBSCRIPTION ${subscribed.name}`,
      );
      await verifyEqual(servers, database);
      await untilUnused(servers, subscribed.slot);
      await execute(servers.source, DATABASE, `SELECT pg_drop_replication_slot('${subscribed.slot}')`);
    },
  };
}

/** What the walsender alone takes. */
function readerSystem(servers: BenchServers, { endLsn }: Backlog): System {
  const slotName = 'reader_slot';
  return {
    name: 'limit',
    prepare: async () => {
      await restoreSlot(servers, slotName);
      await checkpointBoth(servers);
    },
    run: async () => {
      const stop = new AbortController();
      const stream = await openWalStream(overTcp(servers.source, DATABASE), {
        slotName,
        publicationName: PUBLICATION,
        startLsn: parseLsn('0/0'),
        applicationName: 'bench reader',
        signal: stop.signal,
      });
      const end = (): void => {
        if (stream.receivedLsn >= endLsn) stop.abort();
      };
      await stream
        .read({
          changes: end,
          keepalive: ({ walEnd }) => (walEnd >= endLsn ? stop.abort() : undefined),
          exhausted: end,
        })
        .catch((error: unknown) => {
          if (!stop.signal.aborted) throw error;
        });
      await stream[Symbol.asyncDispose]();
    },
    verify: async () => {
      await untilUnused(servers, slotName);
      await execute(servers.source, DATABASE, `SELECT pg_drop_replication_slot('${slotName}')`);
    },
  };
}

async function restoreSlot({ source }: BenchServers, slotName: string): Promise<void> {
  await execute(
    source,
    DATABASE,
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(slotName)}`,
    `SELECT pg_copy_logical_replication_slot('${BACKLOG_SLOT}', ${quoteLiteral(slotName)})`,
  );
}

/** Waits until nobody reads the slot. */
async function untilUnused({ source }: BenchServers, slotName: string): Promise<void> {
  await using client = await openClient(source, DATABASE);
  await until('an unused slot', async () => {
    const { rowCount } = await client.query('SELECT FROM pg_replication_slots WHERE active AND slot_name = $1', [
      slotName,
    ]);
    return rowCount === 0;
  });
}

/** A database that somebody uses cannot be copied. */
async function untilNoSessions({ target }: BenchServers, database: string): Promise<void> {
  await using client = await openClient(target, 'postgres');
  await until(`no session in ${database}`, async () => {
    const { rowCount } = await client.query('SELECT FROM pg_stat_activity WHERE datname = $1', [database]);
    return rowCount === 0;
  });
}

/** The backlog's last transaction inserted it, so that it shows only when everything before it does. */
async function untilMarked({ target }: BenchServers, database: string): Promise<void> {
  await using client = await openClient(target, database);
  await until('the marker row', async () => (await client.query('SELECT FROM marker')).rowCount === 1);
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${DEADLINE_MS / 1000} s`);
    await delay(MARKER_POLL_MS);
  }
}

function verifyEqual({ source, target }: BenchServers, database: string): Promise<void> {
  return requireEqual({ server: source, database: DATABASE }, { server: target, database });
}
