import { freePort, type PostgresMajor, type PostgresServer, type StopMode } from '@sluice/embedded';
import { Secret } from '@sluice/kernel';
import { connect, type Endpoint } from '@sluice/postgres-client';
import { randomBytes } from 'node:crypto';
import { waitFor } from '../wait-for.js';
import { type ContainerFacts, endContainer, removeContainer, startAgain, startContainer } from './test-container.js';

export interface ContainerPostgresFacts extends ContainerFacts {
  readonly major: PostgresMajor;
  readonly password: string;
}

export type ContainerPostgresServer = PostgresServer & { readonly facts: ContainerPostgresFacts };

const SIGNALS = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const satisfies Record<StopMode, string>;
const READY_DEADLINE_MS = 60_000;

export async function startContainerPostgres(
  major: PostgresMajor,
  settings: Readonly<Record<string, string>>,
): Promise<ContainerPostgresServer> {
  const password = randomBytes(12).toString('hex');
  const all = {
    wal_level: 'logical',
    max_connections: '200',
    max_wal_senders: '40',
    max_replication_slots: '40',
    ...settings,
  };
  const container = await startContainer({
    image: `postgres:${major}`,
    containerPort: 5432,
    port: await freePort(),
    command: ['postgres', ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    environment: { POSTGRES_PASSWORD: password },
  });
  const server = attachContainerPostgres({ ...container, major, password });
  await untilReady(server);
  return server;
}

/** The same interface as of an embedded server. Its settings are those of its command line: a restart cannot change them. */
export function attachContainerPostgres(facts: ContainerPostgresFacts): ContainerPostgresServer {
  const { host, port, password, major } = facts;
  const user = 'postgres';
  const stop = (mode: StopMode = 'fast'): Promise<void> => endContainer(facts, SIGNALS[mode]);
  const server: ContainerPostgresServer = {
    facts,
    major,
    host,
    port,
    password,
    superuser: user,
    socketDir: host,
    dataDir: '',
    pid: -1,
    url: (database) => `postgres://${user}:${password}@${host}:${port}/${encodeURIComponent(database)}`,
    endpoint: (database): Endpoint => ({
      ...{ host, port, database, user },
      password: new Secret(password),
      tls: { mode: 'disable' },
    }),
    isRunning: () => facts.isRunning,
    stop,
    kill9: () => endContainer(facts, 'SIGKILL'),
    restart: async ({ mode, settings } = {}) => {
      if (settings) throw new Error('a container keeps the settings that it was started with');
      await stop(mode);
      await startAgain(facts);
      await untilReady(server);
    },
    [Symbol.asyncDispose]: () => removeContainer(facts),
  };
  return server;
}

async function untilReady(server: PostgresServer): Promise<void> {
  const isReady = async (): Promise<boolean> => {
    try {
      await using client = await connect(server.endpoint('postgres'), { applicationName: 'test setup' });
      await client.query('SELECT 1');
      return true;
    } catch {
      return false;
    }
  };
  await waitFor(`PostgreSQL ${server.major} in its container`, isReady, { deadlineMs: READY_DEADLINE_MS });
}
