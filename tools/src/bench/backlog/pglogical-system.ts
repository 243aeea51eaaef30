import { type PostgresServer } from '@sluice/embedded';
import { quoteLiteral } from '@sluice/postgres-client';
import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type BenchContext } from '../bench-case.js';
import {
  type BenchServers,
  checkpointBoth,
  conninfo,
  emptyDatabase,
  execute,
  openClient,
  startBenchServers,
  until,
  untilNoSessions,
} from '../bench-servers.js';
import { PGLOGICAL_PACKAGE } from '../debian-server.js';
import { requireEqual } from '../equality.js';
import { type System } from '../measurement.js';
import { copySlot, createBase, DATABASE, restoreSlot, untilMarked, untilUnused, writeBacklog } from './backlog.js';
import { type Workload } from './workload.js';

const TARGET = 'bench_pglogical';
const TEMPLATE = 'base_pglogical';
const SUBSCRIPTION = 'bench';
const SAVED_SLOT = 'saved_pglogical';
/** For tables without a key, of which pglogical replicates inserts only. */
const SETS = ['default', 'default_insert_only'];
const ENABLE = `SELECT pglogical.alter_subscription_enable('${SUBSCRIPTION}', true)`;
const DISABLE = `SELECT pglogical.alter_subscription_disable('${SUBSCRIPTION}', true)`;
const TABLES = `SELECT 'public' AS schema, relname::text AS name FROM pg_class
                WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`;

/** pglogical on a pair of servers of its own with the same backlog: it keeps its catalog in the databases that it replicates. */
export async function pglogicalSystem(context: BenchContext, workload: Workload): Promise<System> {
  if (!context.debian) return missingSystem();
  context.report(`making the same for pglogical on servers of its own`);
  const servers = await startServers(context);
  const slotName = await subscribe(servers, workload);
  await copySlot(servers.source, slotName, SAVED_SLOT);
  await writeBacklog(servers.source, workload);
  let runCount = 0;
  return {
    name: 'pglogical',
    servers,
    prepare: async () => {
      // DROP DATABASE would wait for pglogical's supervisor, which does not answer the server's signals.
      if (runCount > 0) await renameTarget(servers.target, `used_${runCount}`);
      runCount += 1;
      await prepare(servers, slotName);
    },
    run: async () => {
      await execute(servers.target, TARGET, ENABLE);
      await untilMarked(servers.target, TARGET, () => requireNotDown(servers));
    },
    verify: async () => {
      await execute(servers.target, TARGET, DISABLE);
      await untilUnused(servers.source, slotName);
      await using client = await openClient(servers.source, DATABASE);
      const { rows: tables } = await client.query<{ schema: string; name: string }>(TABLES);
      await requireEqual(
        { server: servers.source, database: DATABASE },
        { server: servers.target, database: TARGET },
        { tables },
      );
    },
  };
}

function missingSystem(): System {
  const missing = (): Promise<never> => Promise.reject(new Error(`missing: ${PGLOGICAL_PACKAGE} not installed`));
  return { name: 'pglogical', prepare: missing, run: missing, verify: missing };
}

async function startServers({ directory, resources, report, debian }: BenchContext): Promise<BenchServers> {
  const folder = path.join(directory, 'pglogical');
  await mkdir(folder);
  // The servers may run as another user, which must be able to pass through.
  await chmod(folder, 0o711);
  const settings = { shared_preload_libraries: 'pglogical' };
  return startBenchServers({ directory: folder, resources, log: report, settings, binaries: debian });
}

/** Provider, subscriber and a subscription that is at rest in front of the backlog. @returns its slot. */
async function subscribe({ source, target }: BenchServers, workload: Workload): Promise<string> {
  await emptyDatabase(source, DATABASE);
  await createBase(source, DATABASE, workload);
  await execute(
    source,
    DATABASE,
    'CREATE EXTENSION pglogical',
    `SELECT pglogical.create_node('provider', ${quoteLiteral(conninfo(source, DATABASE))})`,
    `SELECT pglogical.replication_set_add_table(
       CASE WHEN EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary) THEN 'default' ELSE 'default_insert_only' END,
       c.oid)
     FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
  );
  await emptyDatabase(target, TARGET);
  await createBase(target, TARGET, workload);
  await execute(
    target,
    TARGET,
    'CREATE EXTENSION pglogical',
    `SELECT pglogical.create_node('subscriber', ${quoteLiteral(conninfo(target, TARGET))})`,
    `SELECT pglogical.create_subscription('${SUBSCRIPTION}', ${quoteLiteral(conninfo(source, DATABASE))},
       replication_sets := '{${SETS.join(',')}}', synchronize_data := false)`,
  );
  const slotName = await untilReplicating({ source, target });
  await execute(target, TARGET, DISABLE);
  await untilUnused(source, slotName);
  await renameTarget(target, TEMPLATE);
  return slotName;
}

async function untilReplicating({ target }: BenchServers): Promise<string> {
  await using client = await openClient(target, TARGET);
  let slotName = '';
  await until('a subscription of pglogical', async () => {
    const { rows } = await client.query<{ status: string; slot_name: string }>(
      'SELECT status, slot_name FROM pglogical.show_subscription_status()',
    );
    slotName = rows[0]?.slot_name ?? '';
    return rows[0]?.status === 'replicating';
  });
  return slotName;
}

/** Its supervisor keeps a session in every database that it may enter; with one it could be neither renamed nor copied. */
async function renameTarget(target: PostgresServer, name: string): Promise<void> {
  await execute(
    target,
    'postgres',
    `ALTER DATABASE ${TARGET} ALLOW_CONNECTIONS false`,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${TARGET}'`,
  );
  await untilNoSessions(target, TARGET);
  await execute(target, 'postgres', `ALTER DATABASE ${TARGET} RENAME TO ${name}`);
}

/** Database, slot, and what the target's replication origin says has been applied go back in front of the backlog. */
async function prepare({ source, target }: BenchServers, slotName: string): Promise<void> {
  await execute(target, 'postgres', `CREATE DATABASE ${TARGET} TEMPLATE ${TEMPLATE} STRATEGY file_copy`);
  await restoreSlot(source, slotName, SAVED_SLOT);
  await using atSource = await openClient(source, DATABASE);
  const { rows } = await atSource.query<{ lsn: string }>(
    'SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = $1',
    [SAVED_SLOT],
  );
  await using atTarget = await openClient(target, TARGET);
  await atTarget.query('SELECT pg_replication_origin_advance($1, $2::pg_lsn)', [slotName, rows[0]?.lsn]);
  // It tells the supervisor of the new database; its manager must not have to be started within the timed part.
  await atTarget.query(DISABLE);
  await until('the manager of pglogical', async () => {
    const { rowCount } = await atTarget.query(
      `SELECT FROM pg_stat_activity WHERE datname = $1 AND backend_type LIKE 'pglogical manager%'`,
      [TARGET],
    );
    return rowCount === 1;
  });
  await checkpointBoth({ source, target });
}

async function requireNotDown({ target }: BenchServers): Promise<void> {
  await using client = await openClient(target, TARGET);
  const { rows } = await client.query<{ status: string }>('SELECT status FROM pglogical.show_subscription_status()');
  if (rows[0]?.status === 'disabled') throw new Error('pglogical has disabled its subscription');
}
