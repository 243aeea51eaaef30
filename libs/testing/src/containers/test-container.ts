import { runAtDeath } from '@sluice/embedded';
import { GenericContainer, getContainerRuntimeClient } from 'testcontainers';

/** What is needed to control a container from another test file of the same worker; kept up to date in place. */
export interface ContainerFacts {
  id: string;
  readonly host: string;
  readonly port: number;
  isRunning: boolean;
}

export interface ContainerOptions {
  readonly image: string;
  /** Inside the container. */
  readonly containerPort: number;
  /** On the host; fixed, so that it stays the same over a restart. */
  readonly port: number;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

type Container = ReturnType<Awaited<ReturnType<typeof getContainerRuntimeClient>>['container']['getById']>;

/** True if servers come from Testcontainers instead of embedded programs. */
export function usesContainers(): boolean {
  return process.env['SLUICE_TEST_BACKEND'] === 'containers';
}

export async function startContainer(options: ContainerOptions): Promise<ContainerFacts> {
  const started = await new GenericContainer(options.image)
    .withExposedPorts({ container: options.containerPort, host: options.port })
    .withEnvironment({ ...options.environment })
    .withCommand([...options.command])
    .start();
  // Testcontainers' own cleaner may be disabled (TESTCONTAINERS_RYUK_DISABLED).
  runAtDeath('docker', ['rm', '--force', '--volumes', started.getId()]);
  return { id: started.getId(), host: started.getHost(), port: options.port, isRunning: true };
}

/** Sends a signal and waits for the end. */
export async function endContainer(
  facts: ContainerFacts,
  signal: 'SIGTERM' | 'SIGINT' | 'SIGQUIT' | 'SIGKILL',
): Promise<void> {
  if (!facts.isRunning) return;
  const container = await containerOf(facts);
  await container.kill({ signal });
  await container.wait();
  facts.isRunning = false;
}

export async function startAgain(facts: ContainerFacts): Promise<void> {
  await (await containerOf(facts)).start();
  facts.isRunning = true;
}

export async function removeContainer(facts: ContainerFacts): Promise<void> {
  await (await containerOf(facts)).remove({ force: true, v: true });
  facts.isRunning = false;
}

async function containerOf({ id }: ContainerFacts): Promise<Container> {
  return (await getContainerRuntimeClient()).container.getById(id);
}
