import { SluiceError } from '@sluice/contracts';
import { freePort } from '@sluice/embedded';
import { delay } from '@sluice/kernel';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type DataDirectory } from './data-directory.js';
import { type ServiceProcess, type Supervisor } from './supervisor.js';

const WORKSPACE = path.resolve(import.meta.dirname, '../../..');

const SERVICES = {
  'task-management': 'apps/task-management/dist/main.js',
  'connection-test': 'apps/connection-test/dist/main.js',
  precheck: 'apps/precheck/dist/main.js',
  'snapshot-holder': 'apps/full-load/dist/snapshot-holder.main.js',
  'full-load': 'apps/full-load/dist/main.js',
  capture: 'apps/capture/dist/main.js',
  apply: 'apps/apply/dist/main.js',
  notification: 'apps/notification/dist/main.js',
} as const;

/** Starts tracing when OpenTelemetry's variables ask for it, before the service loads anything that is traced. */
const TRACING = path.join(WORKSPACE, 'libs/telemetry/dist/register.js');

const READY_DEADLINE_MS = 60_000;
const READY_POLL_MS = 100;
/** A service that ends so often before it was ready has a reason that waiting does not remove. */
const CRASHES_MAX = 4;
const LOG_TAIL_LINES = 8;

/** Variables of this process that a service may see; the rest, such as PGHOST, could change what it does. */
const INHERITED = /^(PATH|HOME|LANG|LC_.*|TZ|NODE_EXTRA_CA_CERTS|SSL_CERT_.*|OTEL_.*|SLUICE_.*)$/;

export type ServiceName = keyof typeof SERVICES;

/** They work on runs, so that any number of them can do so beside each other. */
export const DATA_PLANE = [
  'connection-test',
  'precheck',
  'snapshot-holder',
  'full-load',
  'capture',
  'apply',
] as const satisfies ServiceName[];

export interface ServiceOptions {
  readonly directory: Pick<DataDirectory, 'installation'>;
  readonly servers: { readonly nats: { readonly url: string }; readonly metadataUrl: string };
  readonly apiPort: number;
  readonly signal: AbortSignal;
  readonly onReady: (readyCount: number, total: number) => void;
  /** Processes of each service of the data plane; default 1. From the second on they are named `capture-2` and so on. */
  readonly replicas?: number;
  /** More variables for all services. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts all services and waits until each says that it is ready. @throws SluiceError 8005 with the end of its log */
export async function startServices(supervisor: Supervisor, options: ServiceOptions): Promise<void> {
  const entries = Object.entries(SERVICES).flatMap(([name, entry]) => replicasOf(name, entry, options.replicas ?? 1));
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  let readyCount = 0;
  const started = entries.map(async ([name, entry]) => {
    // Task management answers health checks on the port of its API.
    const healthPort = name === 'task-management' ? options.apiPort : await freePort();
    signal.throwIfAborted();
    supervisor.start(describeService({ name, entry, healthPort }, options));
    await untilReady(supervisor, { name, healthPort, signal });
    readyCount += 1;
    options.onReady(readyCount, entries.length);
  });
  try {
    await Promise.all(started);
  } catch (error) {
    failure.abort();
    await Promise.allSettled(started);
    throw error;
  }
}

function replicasOf(name: string, entry: string, count: number): [name: string, entry: string][] {
  const isReplicated = DATA_PLANE.some((service) => service === name);
  return Array.from({ length: isReplicated ? count : 1 }, (_, index) => [
    index === 0 ? name : `${name}-${index + 1}`,
    entry,
  ]);
}

function describeService(
  service: { name: string; entry: string; healthPort: number },
  { directory, servers, env: more }: ServiceOptions,
): ServiceProcess {
  const { busKey, masterKey, adminKey } = directory.installation;
  const inherited = Object.entries(process.env).filter(([name]) => INHERITED.test(name));
  const env: NodeJS.ProcessEnv = {
    ...Object.fromEntries(inherited),
    SLUICE_NATS_URL: servers.nats.url,
    SLUICE_BUS_KEY: busKey,
    SLUICE_HTTP_PORT: String(service.healthPort),
    // Only task management may open the metadata database and knows the keys to it.
    ...(service.name === 'task-management' && {
      SLUICE_METADATA_URL: servers.metadataUrl,
      SLUICE_MASTER_KEY: masterKey,
      SLUICE_ADMIN_KEY: adminKey,
    }),
    ...more,
  };
  return { name: service.name, entry: path.join(WORKSPACE, service.entry), env, preload: TRACING };
}

async function untilReady(
  supervisor: Supervisor,
  { name, healthPort, signal }: { name: string; healthPort: number; signal: AbortSignal },
): Promise<void> {
  const deadline = performance.now() + READY_DEADLINE_MS;
  while (!(await isReady(healthPort))) {
    const hasGivenUp = supervisor.crashesInARow(name) >= CRASHES_MAX || performance.now() > deadline;
    if (hasGivenUp) throw notReady(name, supervisor.logFile(name));
    await delay(READY_POLL_MS, signal);
  }
}

async function isReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

function notReady(name: string, logFile: string): SluiceError {
  const tail = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n    ');
  return new SluiceError('SLUICE-8005', { detail: `${name}; its log ends with\n    ${tail || '(nothing)'}` });
}
