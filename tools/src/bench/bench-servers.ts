import { type PostgresServer, startPostgres, type StartPostgresOptions } from '@sluice/embedded';
import { delay } from '@sluice/kernel';
import { type Client, connect, quoteIdentifier } from '@sluice/postgres-client';
import path from 'node:path';

/** The major whose client tools and extensions Debian 12 has, so that the peers among them can take part. */
export const BENCH_MAJOR = 15;

/**
 * Durable, as in production, and without checkpoints in the middle of a run. Both sides alike.
 * https://www.postgresql.org/docs/15/runtime-config-wal.html
 */
const SETTINGS: Readonly<Record<string, string>> = {
  wal_level: 'logical',
  shared_buffers: '512MB',
  max_wal_size: '16GB',
  checkpoint_timeout: '1h',
  max_replication_slots: '20',
  max_wal_senders: '20',
  max_connections: '100',
  maintenance_work_mem: '256MB',
  autovacuum: 'off',
  // By default a subscription that is enabled less than 5 s after another one waits for the rest of these 5 s.
  wal_retrieve_retry_interval: '200ms',
};

const POLL_MS = 5;
/** The longest that anything measured here takes on a slow machine. */
const DEADLINE_MS = 60 * 60_000;

export interface BenchServers {
  readonly source: PostgresServer;
  readonly target: PostgresServer;
}

export interface BenchServersOptions {
  /** Holds the data of both. */
  readonly directory: string;
  readonly resources: AsyncDisposableStack;
  readonly log: (line: string) => void;
  /** More settings. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Default: the embedded server. */
  readonly binaries?: StartPostgresOptions['binaries'] | null;
}

export async function startBenchServers(options: BenchServersOptions): Promise<BenchServers> {
  const start = async (name: string): Promise<PostgresServer> =>
    options.resources.use(
      await startPostgres({
        major: BENCH_MAJOR,
        ...(options.binaries && { binaries: options.binaries }),
        dataDir: path.join(options.directory, name),
        settings: { ...SETTINGS, ...options.settings },
        log: options.log,
        temporary: true,
      }),
    );
  const source = await start('source');
  const target = await start('target');
  return { source, target };
}

/** Runs statements one after the other, each by itself. */
export async function execute(
  server: PostgresServer,
  database: string,
  ...statements: readonly string[]
): Promise<void> {
  await using client = await openClient(server, database);
  for (const statement of statements) await client.query(statement);
}

export function openClient(server: PostgresServer, database: string): Promise<Client> {
  return connect(server.endpoint(database), { applicationName: 'bench' });
}

/** Makes `database` anew as a copy of `template`. */
export async function restoreDatabase(server: PostgresServer, database: string, template: string): Promise<void> {
  await execute(
    server,
    'postgres',
    `DROP DATABASE IF EXISTS ${quoteIdentifier(database)} WITH (FORCE)`,
    `CREATE DATABASE ${quoteIdentifier(database)} TEMPLATE ${quoteIdentifier(template)} STRATEGY file_copy`,
  );
}

/** Makes `database` anew, without anything in it. */
export async function emptyDatabase(server: PostgresServer, database: string): Promise<void> {
  await execute(
    server,
    'postgres',
    `DROP DATABASE IF EXISTS ${quoteIdentifier(database)} WITH (FORCE)`,
    `CREATE DATABASE ${quoteIdentifier(database)}`,
  );
}

/** What was written so far is on disk and every page's next change starts from there, as for everybody else. */
export async function checkpointBoth({ source, target }: BenchServers): Promise<void> {
  await Promise.all([execute(source, 'postgres', 'CHECKPOINT'), execute(target, 'postgres', 'CHECKPOINT')]);
}

/** Where a subscriber finds a database, as libpq reads it. */
export function conninfo(
  server: PostgresServer,
  database: string,
  at: { host: string; port: number } = server,
): string {
  const { user, password } = server.endpoint(database);
  return `host=${at.host} port=${at.port} dbname=${database} user=${user} password=${password.reveal()}`;
}

/** A database that somebody uses cannot be copied. */
export async function untilNoSessions(server: PostgresServer, database: string): Promise<void> {
  await using client = await openClient(server, 'postgres');
  await until(`no session in ${database}`, async () => {
    const { rowCount } = await client.query('SELECT FROM pg_stat_activity WHERE datname = $1', [database]);
    return rowCount === 0;
  });
}

/** Polls for a fact that nobody tells. @throws when it takes longer than any run may. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${DEADLINE_MS / 1000} s`);
    await delay(POLL_MS);
  }
}
