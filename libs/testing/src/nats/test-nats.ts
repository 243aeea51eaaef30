import { attachNats, type EmbeddedNatsServer, type NatsFacts, type NatsServer, startNats } from '@sluice/embedded';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { attachContainerNats, type ContainerNatsServer, startContainerNats } from '../containers/container-nats.js';
import { type ContainerFacts, usesContainers } from '../containers/test-container.js';
import { workerState } from '../worker-state.js';

const KEY = 'nats';

let server: Promise<NatsServer> | null = null;

/**
 * A NATS server with JetStream, started at the first call and shared within the test file. Another file gets an empty
 * one. It ends with the Jest worker, however that ends. To stop, kill or wipe one, take `dedicatedNats`.
 */
export function testNats(): Promise<NatsServer> {
  server ??= replacePrevious();
  server.catch(() => (server = null));
  return server;
}

async function replacePrevious(): Promise<NatsServer> {
  const previous = workerState().get(KEY);
  if (previous !== undefined) await attach(previous as NatsFacts | ContainerFacts)[Symbol.asyncDispose]();
  const started = await start();
  workerState().set(KEY, started.facts);
  return started;
}

/** A server of the test's own. `await using` ends it. */
export function dedicatedNats(): Promise<NatsServer> {
  return start();
}

function attach(facts: NatsFacts | ContainerFacts): NatsServer {
  return 'id' in facts ? attachContainerNats(facts) : attachNats(facts);
}

async function start(): Promise<EmbeddedNatsServer | ContainerNatsServer> {
  if (usesContainers()) return startContainerNats();
  return startNats({ storeDir: await mkdtemp(path.join(tmpdir(), 'sluice-test-nats-')), temporary: true });
}
