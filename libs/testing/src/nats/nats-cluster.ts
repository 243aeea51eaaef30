import { freePort, type NatsServer, startNats } from '@sluice/embedded';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface NatsCluster extends AsyncDisposable {
  /** All servers, separated by commas. */
  readonly url: string;
  readonly servers: readonly NatsServer[];
}

/** Enough to keep three copies of a stream and to lose one server. */
const SERVERS = 3;

/** Three servers that keep copies of each other's streams. They take a moment to agree on a leader. `await using` ends them. */
export async function natsCluster(): Promise<NatsCluster> {
  const routePorts = await Promise.all(Array.from({ length: SERVERS }, () => freePort()));
  const routes = routePorts.map((port) => `"nats://127.0.0.1:${port}"`).join(', ');
  const servers = await Promise.all(
    routePorts.map(async (port, index) =>
      startNats({
        storeDir: await mkdtemp(path.join(tmpdir(), 'sluice-test-nats-')),
        temporary: true,
        extraConfig: [
          `server_name: "n${index}"`,
          `cluster { name: "spec", listen: "127.0.0.1:${port}", routes: [${routes}] }`,
        ].join('\n'),
      }),
    ),
  );
  return {
    url: servers.map(({ url }) => url).join(','),
    servers,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    },
  };
}
