import {
  attachPostgres,
  DEFAULT_POSTGRES_MAJOR,
  type EmbeddedPostgresServer,
  type PostgresFacts,
  type PostgresMajor,
  type PostgresServer,
  startPostgres,
  TEST_SETTINGS,
} from '@sluice/embedded';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  attachContainerPostgres,
  type ContainerPostgresFacts,
  type ContainerPostgresServer,
  startContainerPostgres,
} from '../containers/container-postgres.js';
import { usesContainers } from '../containers/test-container.js';
import { workerState } from '../worker-state.js';
import { externalServer } from './external-server.js';

export interface TestServerOptions {
  readonly major?: PostgresMajor;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Within this test file; the worker's state has the facts of those that earlier files started. */
const servers = new Map<string, Promise<PostgresServer>>();

/**
 * A PostgreSQL server, started at the first call and shared by all test files of the Jest worker that ask for the
 * same major and settings. It ends with the worker, however that ends. Do not stop it: that is what
 * `dedicatedServer` is for. `TEST_PG_<major>=postgres://…` replaces the one with default settings.
 */
export function testServer(options: TestServerOptions = {}): Promise<PostgresServer> {
  const major = options.major ?? DEFAULT_POSTGRES_MAJOR;
  const key = `postgres ${major} ${JSON.stringify(Object.entries(options.settings ?? {}).sort())}`;
  let server = servers.get(key);
  if (!server) {
    server = reuseOrStart(key, { ...options, major });
    server.catch(() => servers.delete(key));
    servers.set(key, server);
  }
  return server;
}

async function reuseOrStart(
  key: string,
  options: TestServerOptions & { readonly major: PostgresMajor },
): Promise<PostgresServer> {
  const url = process.env[`TEST_PG_${options.major}`];
  if (url && !options.settings) return externalServer(options.major, url);
  const facts = workerState().get(key);
  if (facts !== undefined) {
    const running = attach(facts as PostgresFacts | ContainerPostgresFacts);
    if (running.isRunning()) return running;
  }
  const started = await start(options);
  workerState().set(key, started.facts);
  return started;
}

/** A server of the test's own, for tests that stop, kill or reconfigure it. `await using` ends it. */
export function dedicatedServer(options: TestServerOptions = {}): Promise<PostgresServer> {
  return start(options);
}

function attach(facts: PostgresFacts | ContainerPostgresFacts): PostgresServer {
  return 'id' in facts ? attachContainerPostgres(facts) : attachPostgres(facts);
}

async function start({
  major = DEFAULT_POSTGRES_MAJOR,
  settings,
}: TestServerOptions): Promise<EmbeddedPostgresServer | ContainerPostgresServer> {
  const all = { ...TEST_SETTINGS, ...settings };
  if (usesContainers()) return startContainerPostgres(major, all);
  const dataDir = await mkdtemp(path.join(tmpdir(), 'sluice-test-pg-'));
  return startPostgres({ major, dataDir, settings: all, temporary: true });
}
