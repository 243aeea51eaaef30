import { type PostgresServer } from '@sluice/embedded';
import { type Endpoint, quoteLiteral } from '@sluice/postgres-client';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { type BenchCase, type BenchContext } from '../bench-case.js';
import { checkpointBoth, conninfo, emptyDatabase, execute, openClient, until } from '../bench-servers.js';
import { requireEqual } from '../equality.js';
import { type System } from '../measurement.js';
import { createPgbenchDatabase } from '../pgbench-database.js';
import { requireInstalled, runShell } from '../shell.js';

const SCALE = 50;
const DATABASE = 'bench_full';
const TARGET = 'bench_target';
const PUBLICATION = 'bench_publication';
const SUBSCRIPTION = 'bench_full_subscription';
const TABLES = ['pgbench_branches', 'pgbench_tellers', 'pgbench_accounts', 'pgbench_history'];
const PRIMARY_KEYS = { pgbench_branches: 'bid', pgbench_tellers: 'tid', pgbench_accounts: 'aid' };

type Address = Pick<Endpoint, 'host' | 'port'>;

/** Where one system is and how it gets to the others; default: directly. */
export interface FullPlace {
  readonly name: string;
  readonly sourceAt?: Address;
  readonly targetAt?: Address;
}

/** Structure, data, keys and indexes of a database with one big table, into an empty database. */
export const full: BenchCase = {
  systems: async (context) => {
    await createFullSource(context);
    return [
      fullSluice(context, { name: 'sluice' }),
      handMade(context),
      pgcopydb(context),
      pgDump(context),
      fullNative(context, { name: 'native' }),
    ];
  },
};

export async function createFullSource({ servers, scale, report }: BenchContext): Promise<void> {
  const pgbenchScale = Math.max(1, Math.round(SCALE * scale));
  report(`making the source: pgbench scale ${pgbenchScale}`);
  await createPgbenchDatabase(servers.source, DATABASE, pgbenchScale);
  await execute(servers.source, DATABASE, `CREATE PUBLICATION ${PUBLICATION} FOR ALL TABLES`);
}

function base({ servers }: BenchContext): Pick<System, 'prepare' | 'verify'> {
  return {
    prepare: async () => {
      await emptyDatabase(servers.target, TARGET);
      await checkpointBoth(servers);
    },
    verify: () =>
      requireEqual({ server: servers.source, database: DATABASE }, { server: servers.target, database: TARGET }),
  };
}

export function fullSluice(context: BenchContext, { name, targetAt }: FullPlace): System {
  const { servers, sluice } = context;
  const { prepare, verify } = base(context);
  let taskId = '';
  return {
    name,
    prepare: async () => {
      await prepare();
      taskId = await sluice.createTask(`bench-full-${randomBytes(4).toString('hex')}`, {
        source: servers.source.endpoint(DATABASE),
        target: { ...servers.target.endpoint(TARGET), ...targetAt },
      });
    },
    run: async () => {
      await sluice.act(taskId, 'start', 'incremental');
    },
    verify: async () => {
      await verify();
      await sluice.act(taskId, 'end', 'ended');
    },
  };
}

/** What the two servers can do with no tool between: binary COPY piped, then the keys, two at a time. */
function handMade(context: BenchContext): System {
  const { source, target } = urls(context);
  const pipe = (table: string): string =>
    `psql -qX ${source} -c 'COPY ${table} TO STDOUT (FORMAT binary)' | psql -qX ${target} -c 'BEGIN' -c 'TRUNCATE ${table}' -c 'COPY ${table} FROM STDIN (FORMAT binary, FREEZE)' -c 'COMMIT'`;
  return {
    name: 'limit',
    ...base(context),
    run: async () => {
      requireInstalled('psql', 'pg_dump');
      await runShell(`pg_dump -s --section=pre-data --no-publications ${source} | psql -qX ${target} >/dev/null`);
      for (const table of TABLES) await runShell(pipe(table));
      for (const [table, column] of Object.entries(PRIMARY_KEYS)) {
        await execute(context.servers.target, TARGET, `ALTER TABLE ${table} ADD PRIMARY KEY (${column})`);
      }
      await execute(context.servers.target, TARGET, 'ANALYZE');
    },
  };
}

function pgcopydb(context: BenchContext): System {
  const { source, target } = urls(context);
  return {
    name: 'pgcopydb',
    ...base(context),
    run: async () => {
      requireInstalled('pgcopydb');
      const directory = path.join(context.directory, `pgcopydb-${randomBytes(4).toString('hex')}`);
      await runShell(
        `pgcopydb clone --dir ${directory} --table-jobs 2 --index-jobs 2 --source ${source} --target ${target} >${directory}.log 2>&1 || { tail -n 3 ${directory}.log >&2; exit 1; }; rm -rf ${directory} ${directory}.log`,
      );
    },
  };
}

function pgDump(context: BenchContext): System {
  const { source, target } = urls(context);
  return {
    name: 'pg_dump|psql',
    ...base(context),
    run: async () => {
      requireInstalled('pg_dump', 'psql');
      await runShell(`pg_dump --no-publications ${source} | psql -qX -v ON_ERROR_STOP=1 ${target} >/dev/null`);
      await execute(context.servers.target, TARGET, 'ANALYZE');
    },
  };
}

export function fullNative(context: BenchContext, { name, sourceAt, targetAt }: FullPlace): System {
  const { servers } = context;
  const { source, target } = urls(context, targetAt);
  const { prepare, verify } = base(context);
  return {
    name,
    prepare,
    run: async () => {
      requireInstalled('pg_dump', 'psql');
      await runShell(`pg_dump -s --no-publications ${source} | psql -qX ${target} >/dev/null`);
      await execute(
        servers.target,
        TARGET,
        `CREATE SUBSCRIPTION ${SUBSCRIPTION} CONNECTION ${quoteLiteral(conninfo(servers.source, DATABASE, sourceAt))} PUBLICATION ${PUBLICATION}`,
      );
      await using client = await openClient(servers.target, TARGET);
      await until('the initial synchronization', async () => {
        const { rowCount } = await client.query(`SELECT FROM pg_subscription_rel WHERE srsubstate <> 'r'`);
        return rowCount === 0;
      });
    },
    verify: async () => {
      await verify();
      await execute(servers.target, TARGET, `DROP SUBSCRIPTION ${SUBSCRIPTION}`);
    },
  };
}

function urls({ servers }: BenchContext, targetAt?: Address): { source: string; target: string } {
  return { source: urlOf(servers.source, DATABASE), target: urlOf(servers.target, TARGET, targetAt) };
}

/** For a shell. */
function urlOf(server: PostgresServer, database: string, at?: Address): string {
  const url = new URL(server.url(database));
  if (at) url.host = `${at.host}:${at.port}`;
  return `'${url.href}'`;
}
