import { type PostgresServer } from '@sluice/embedded';
import { type Endpoint, quoteLiteral } from '@sluice/postgres-client';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { type BenchContext } from '../bench-case.js';
import { checkpointBoth, conninfo, emptyDatabase, execute, openClient, until } from '../bench-servers.js';
import { requireEqual } from '../equality.js';
import { type System } from '../measurement.js';
import { requireInstalled, runShell } from '../shell.js';

/** What is loaded, and where it goes. */
export const DATABASE = 'bench_full';
export const TARGET = 'bench_target';
const PUBLICATION = 'bench_publication';
const SUBSCRIPTION = 'bench_full_subscription';

type Address = Pick<Endpoint, 'host' | 'port'>;

/** Where one system is and how it gets to the others; default: directly. */
export interface LoadPlace {
  readonly name: string;
  readonly sourceAt?: Address;
  readonly targetAt?: Address;
}

/** For native replication. */
export function publishAll({ servers }: BenchContext): Promise<void> {
  return execute(servers.source, DATABASE, `CREATE PUBLICATION ${PUBLICATION} FOR ALL TABLES`);
}

/** An empty target before each run, both sides compared after it. */
export function loadBase({ servers }: BenchContext): Pick<System, 'prepare' | 'verify'> {
  return {
    prepare: async () => {
      await emptyDatabase(servers.target, TARGET);
      await checkpointBoth(servers);
    },
    verify: () =>
      requireEqual({ server: servers.source, database: DATABASE }, { server: servers.target, database: TARGET }),
  };
}

export function loadSluice(context: BenchContext, { name, targetAt }: LoadPlace): System {
  const { servers, sluice } = context;
  const { prepare, verify } = loadBase(context);
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

export function loadPgcopydb(context: BenchContext): System {
  const { source, target } = urls(context);
  return {
    name: 'pgcopydb',
    ...loadBase(context),
    run: async () => {
      requireInstalled('pgcopydb');
      const directory = path.join(context.directory, `pgcopydb-${randomBytes(4).toString('hex')}`);
      await runShell(
        `pgcopydb clone --dir ${directory} --table-jobs 2 --index-jobs 2 --source ${source} --target ${target} >${directory}.log 2>&1 || { tail -n 3 ${directory}.log >&2; exit 1; }; rm -rf ${directory} ${directory}.log`,
      );
    },
  };
}

export function loadPgDump(context: BenchContext): System {
  const { source, target } = urls(context);
  return {
    name: 'pg_dump|psql',
    ...loadBase(context),
    run: async () => {
      requireInstalled('pg_dump', 'psql');
      await runShell(`pg_dump --no-publications ${source} | psql -qX -v ON_ERROR_STOP=1 ${target} >/dev/null`);
      await execute(context.servers.target, TARGET, 'ANALYZE');
    },
  };
}

export function loadNative(context: BenchContext, { name, sourceAt, targetAt }: LoadPlace): System {
  const { servers } = context;
  const { source, target } = urls(context, targetAt);
  const { prepare, verify } = loadBase(context);
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

export function urls({ servers }: BenchContext, targetAt?: Address): { source: string; target: string } {
  return { source: urlOf(servers.source, DATABASE), target: urlOf(servers.target, TARGET, targetAt) };
}

/** For a shell. */
function urlOf(server: PostgresServer, database: string, at?: Address): string {
  const url = new URL(server.url(database));
  if (at) url.host = `${at.host}:${at.port}`;
  return `'${url.href}'`;
}
