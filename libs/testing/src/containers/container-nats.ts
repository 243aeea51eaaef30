import { freePort, type NatsServer } from '@sluice/embedded';
import { connect } from 'node:net';
import { waitFor } from '../wait-for.js';
import { type ContainerFacts, endContainer, removeContainer, startAgain, startContainer } from './test-container.js';

export type ContainerNatsServer = NatsServer & { readonly facts: ContainerFacts };

const IMAGE = 'nats:2.11-alpine';

export async function startContainerNats(): Promise<ContainerNatsServer> {
  const server = attachContainerNats(await start(await freePort()));
  await untilGreeted(server.facts);
  return server;
}

function start(port: number): Promise<ContainerFacts> {
  return startContainer({ image: IMAGE, containerPort: 4222, port, command: ['-js', '-sd', '/tmp/nats'] });
}

/** The same interface as of an embedded server; a wipe is a new container on the same port. */
export function attachContainerNats(facts: ContainerFacts): ContainerNatsServer {
  const { host, port } = facts;
  return {
    facts,
    host,
    port,
    url: `nats://${host}:${port}`,
    pid: -1,
    storeDir: '',
    isRunning: () => facts.isRunning,
    stop: () => endContainer(facts, 'SIGTERM'),
    kill9: () => endContainer(facts, 'SIGKILL'),
    restart: async ({ wipe = false } = {}) => {
      await endContainer(facts, 'SIGTERM');
      if (wipe) {
        await removeContainer(facts);
        Object.assign(facts, await start(port));
      } else {
        await startAgain(facts);
      }
      await untilGreeted(facts);
    },
    [Symbol.asyncDispose]: () => removeContainer(facts),
  };
}

/** Docker's port forwarder accepts connections before the server does: only its greeting proves that it is there. */
async function untilGreeted({ host, port }: ContainerFacts): Promise<void> {
  await waitFor('nats-server in its container', () => {
    return new Promise<boolean>((resolve) => {
      const socket = connect({ host, port });
      const settle = (isGreeted: boolean): void => {
        socket.destroy();
        resolve(isGreeted);
      };
      socket.once('data', (chunk) => settle(chunk.toString().startsWith('INFO ')));
      socket.once('error', () => settle(false));
      socket.once('close', () => settle(false));
    });
  });
}
