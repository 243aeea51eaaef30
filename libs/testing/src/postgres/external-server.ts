import { type PostgresMajor, type PostgresServer } from '@sluice/embedded';
import { parseConnectionUrl } from '@sluice/postgres-client';

/** A server that somebody else runs (`TEST_PG_17=postgres://…`): it can be used, not stopped. */
export function externalServer(major: PostgresMajor, url: string): PostgresServer {
  const endpoint = parseConnectionUrl(url, `TEST_PG_${major}`);
  const refuse = (): Promise<never> => Promise.reject(new Error(`TEST_PG_${major} is not ours to stop or restart`));
  return {
    major,
    host: endpoint.host,
    port: endpoint.port,
    socketDir: endpoint.host,
    dataDir: '',
    superuser: endpoint.user,
    password: endpoint.password.reveal(),
    pid: -1,
    url: (database) => {
      const replaced = new URL(url);
      replaced.pathname = `/${encodeURIComponent(database)}`;
      return replaced.href;
    },
    endpoint: (database) => ({ ...endpoint, database }),
    isRunning: () => true,
    stop: refuse,
    kill9: refuse,
    restart: refuse,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
