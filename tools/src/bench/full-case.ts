import { delay } from '@sluice/kernel';
import { quoteLiteral } from '@sluice/postgres-client';
import { randomBytes } from 'node:crypto';
import { type BenchServers, checkpointBoth, execute, openClient } from './bench-servers.js';
import { requireEqual } from './equality.js';
import { type System } from './measurement.js';
import { createPgbenchDatabase } from './pgbench-database.js';
import { isInstalled, runShell } from './shell.js';
import { overTcp, type SluiceStack } from './sluice-stack.js';

const SCALE = 50;
const DATABASE = 'bench';
const TARGET = 'bench_target';
const PUBLICATION = 'bench_publication';
const SUBSCRIPTION = 'bench_subscription';
const TABLES = ['pgbench_branches', 'pgbench_tellers', 'pgbench_accounts', 'pgbench_history'];
const PRIMARY_KEYS = { pgbench_branches: 'bid', pgbench_tellers: 'tid', pgbench_accounts: 'aid' };
const POLL_MS = 20;

/** Structure, data, keys and indexes of a database with one big table, into an empty database. */
export async function fullSystems(
  servers: BenchServers,
  { sluice, scale, report }: { sluice: SluiceStack; scale: number; report: (line: string) => void },
): Promise<System[]> {
  const pgbenchScale = Math.max(1, Math.round(SCALE * scale));
  report(`making the source: pgbench scale ${pgbenchScale}`);
  await createPgbenchDatabase(servers.source, DATABASE, pgbenchScale);
  await execute(servers.source, DATABASE, `CREATE PUBLICATION ${PUBLICATION} FOR ALL TABLES`);
  return [sluiceSystem(servers, sluice), handMade(servers), pgcopydb(servers), pgDump(servers), nativeSystem(servers)];
}

function base(servers: BenchServers): Pick<System, 'prepare' | 'verify'> {
  return {
    prepare: async () => {
      await execute(
        servers.target,
        'postgres',
        `DROP DATABASE IF EXISTS ${TARGET} WITH (FORCE)`,
        `CREATE DATABASE ${TARGET}`,
      );
      await checkpointBoth(servers);
    },
    verify: () =>
      requireEqual({ server: servers.source, database: DATABASE }, { server: servers.target, database: TARGET }),
  };
}

function sluiceSystem(servers: BenchServers, sluice: SluiceStack): System {
  const { prepare, verify } = base(servers);
  let taskId = '';
  return {
    name: 'sluice',
    prepare: async () => {
      await prepare();
      const name = `bench-full-${randomBytes(4).toString('hex')}`;
      taskId = await sluice.createTask(name, {
        source: overTcp(servers.source, DATABASE),
        target: overTcp(servers.target, TARGET),
      });
    },
    run: async () => {
      await sluice.api.act(taskId, 'start');
      await sluice.untilState(taskId, 'incremental');
    },
    verify: async () => {
      await verify();
      await sluice.api.act(taskId, 'end');
      await sluice.untilState(taskId, 'ended');
    },
  };
}

/** What the two servers can do with no tool between: binary COPY piped, then the keys, two at a time. */
function handMade(servers: BenchServers): System {
  const { source, target } = urls(servers);
  const pipe = (table: string): string =>
    `psql -qX ${source} -c 'COPY ${table} TO STDOUT (FORMAT binary)' | psql -qX ${target} -c 'BEGIN' -c 'TRUNCATE ${table}' -c 'COPY ${table} FROM STDIN (FORMAT binary, FREEZE)' -c 'COMMIT'`;
  return {
    name: 'limit',
    ...base(servers),
    run: async () => {
      requireInstalled('psql', 'pg_dump');
      await runShell(`pg_dump -s --section=pre-data --no-publications ${source} | psql -qX ${target} >/dev/null`);
      for (const table of TABLES) await runShell(pipe(table));
      for (const [table, column] of Object.entries(PRIMARY_KEYS)) {
        await execute(servers.target, TARGET, `ALTER TABLE ${table} ADD PRIMARY KEY (${column})`);
      }
      await execute(servers.target, TARGET, 'ANALYZE');
    },
  };
}

function pgcopydb(servers: BenchServers): System {
  const { source, target } = urls(servers);
  return {
    name: 'pgcopydb',
    ...base(servers),
    run: async () => {
      requireInstalled('pgcopydb');
      const directory = `/tmp/pgcopydb-${randomBytes(4).toString('hex')}`;
      await runShell(
        `pgcopydb clone --dir ${directory} --table-jobs 2 --index-jobs 2 --source ${source} --target ${target} >${directory}.log 2>&1 || { tail -n 3 ${directory}.log >&2; exit 1; }; rm -rf ${directory} ${directory}.log`,
      );
    },
  };
}

function pgDump(servers: BenchServers): System {
  const { source, target } = urls(servers);
  return {
    name: 'pg_dump|psql',
    ...base(servers),
    run: async () => {
      requireInstalled('pg_dump', 'psql');
      await runShell(`pg_dump --no-publications ${source} | psql -qX -v ON_ERROR_STOP=1 ${target} >/dev/null`);
      await execute(servers.target, TARGET, 'ANALYZE');
    },
  };
}

function nativeSystem(servers: BenchServers): System {
  const { source, target } = urls(servers);
  const { prepare, verify } = base(servers);
  return {
    name: 'native',
    prepare,
    run: async () => {
      requireInstalled('pg_dump', 'psql');
      await runShell(`pg_dump -s --no-publications ${source} | psql -qX ${target} >/dev/null`);
      const { host, port } = servers.source;
      const { user, password } = servers.source.endpoint(DATABASE);
      const conninfo = `host=${host} port=${port} dbname=${DATABASE} user=${user} password=${password.reveal()}`;
      await execute(
        servers.target,
        TARGET,
        `CREATE SUBSCRIPTION ${SUBSCRIPTION} CONNECTION ${quoteLiteral(conninfo)} PUBLICATION ${PUBLICATION}`,
      );
      await using client = await openClient(servers.target, TARGET);
      const isSynchronized = async (): Promise<boolean> =>
        (await client.query(`SELECT FROM pg_subscription_rel WHERE srsubstate <> 'r'`)).rowCount === 0;
      while (!(await isSynchronized())) await delay(POLL_MS);
    },
    verify: async () => {
      await verify();
      await execute(servers.target, TARGET, `DROP SUBSCRIPTION ${SUBSCRIPTION}`);
    },
  };
}

function urls({ source, target }: BenchServers): { source: string; target: string } {
  return { source: `'${source.url(DATABASE)}'`, target: `'${target.url(TARGET)}'` };
}

function requireInstalled(...commands: readonly string[]): void {
  const missing = commands.filter((command) => !isInstalled(command));
  if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')} not installed`);
}
