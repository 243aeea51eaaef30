import { type PostgresServer, startPostgres } from '@sluice/embedded';
import { type Client, connect, quoteIdentifier } from '@sluice/postgres-client';
import path from 'node:path';

/** The major whose client tools Debian 12 has, so that the tools among the peers can take part. */
const MAJOR = 15;

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
};

export interface BenchServers {
  readonly source: PostgresServer;
  readonly target: PostgresServer;
}

export async function startBenchServers(
  directory: string,
  resources: AsyncDisposableStack,
  log: (line: string) => void,
): Promise<BenchServers> {
  const start = async (name: string): Promise<PostgresServer> =>
    resources.use(
      await startPostgres({
        major: MAJOR,
        dataDir: path.join(directory, name),
        settings: SETTINGS,
        log,
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

/** What was written so far is on disk and every page's next change starts from there, as for everybody else. */
export async function checkpointBoth({ source, target }: BenchServers): Promise<void> {
  await Promise.all([execute(source, 'postgres', 'CHECKPOINT'), execute(target, 'postgres', 'CHECKPOINT')]);
}
