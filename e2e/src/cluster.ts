import { type CreateTaskRequest, type ErrorCode, type ErrorReport, type TaskResource } from '@sluice/contracts';
import {
  dismissWatchdog,
  freePort,
  type NatsServer,
  type PostgresMajor,
  type PostgresServer,
  runAtDeath,
} from '@sluice/embedded';
import { type Endpoint } from '@sluice/postgres-client';
import {
  dedicatedNats,
  type FaultProxy,
  faultProxy,
  testDatabase,
  type TestDatabase,
  testServer,
  waitFor,
} from '@sluice/testing';
import { ApiClient, openDataDirectory, startServices, Supervisor } from '@sluice/tools/start';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type z } from 'zod';
import { buildServices } from './build-services.js';
import { logTails } from './log-tails.js';

export interface ClusterOptions {
  /** Of each service of the data plane; default 1. */
  readonly replicas?: number;
  /** More variables for all services. */
  readonly env?: Readonly<Record<string, string>>;
  readonly sourceMajor?: PostgresMajor;
  readonly targetMajor?: PostgresMajor;
  /** The services reach the bus through `busProxy`. */
  readonly hasBusProxy?: boolean;
  /** Of the metadata database, for a scenario that stops it. */
  readonly metadataServer?: PostgresServer;
}

export interface TaskDatabases {
  readonly source: { readonly endpoint: Endpoint };
  readonly target: { readonly endpoint: Endpoint };
}

const STOP_GRACE_MS = 8_000;
/** Idle positions pass soon, so that nothing has to be waited for that only time brings. */
const SERVICE_ENVIRONMENT = { SLUICE_CAPTURE_IDLE_WATERMARK_MS: '500', SLUICE_CAPTURE_STATUS_INTERVAL_MS: '500' };
/** Set to a folder, it keeps the logs of the services there. */
const KEPT_LOGS = process.env['SLUICE_E2E_KEEP'];

/** Bus, metadata database and all services as processes of their own, which a supervisor starts again when they die. */
export interface Cluster extends AsyncDisposable {
  readonly nats: NatsServer;
  /** Between all services and the bus, when it was asked for. */
  readonly busProxy: FaultProxy;
  readonly api: ApiClient;
  readonly apiUrl: string;
  readonly adminKey: string;
  readonly metadata: TestDatabase;
  /** An empty database on the server for sources, or with `schema`. */
  sourceDatabase(schema?: string): Promise<TestDatabase>;
  targetDatabase(): Promise<TestDatabase>;
  create(databases: TaskDatabases, more?: Partial<z.input<typeof CreateTaskRequest>>): Promise<string>;
  createAndStart(databases: TaskDatabases, more?: Partial<z.input<typeof CreateTaskRequest>>): Promise<string>;
  /** @throws when the task fails instead, with the end of the services' logs. */
  untilState(taskId: string, state: string): Promise<TaskResource>;
  /** Resolves when the task has failed in this state with this error, which it returns. @throws when it failed otherwise */
  untilFailed(taskId: string, state: string, code: ErrorCode): Promise<ErrorReport>;
  /** The process dies at once and its supervisor starts it again. */
  kill9(service: string): void;
  /** The process stands still, its connections stay. @returns what lets it go on. */
  freeze(service: string): () => void;
  logOf(service: string): string;
  /** Starts a service anew, for this life only with more variables. */
  restart(service: string, onceEnv: NodeJS.ProcessEnv): Promise<void>;
  pidOf(service: string): number | undefined;
  /** How often the service died, by itself or by us. */
  deaths(service: string): number;
}

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  buildServices();
  await using starting = new AsyncDisposableStack();
  const directory = starting.use(await openDataDirectory(keptDirectory()));
  if (!directory.isKept) removeAtDeath(directory.path, starting);
  const nats = starting.use(await dedicatedNats());
  const busProxy = starting.use(await faultProxy({ target: nats }));
  const { metadataServer } = options;
  const metadata = starting.use(await testDatabase({ ...(metadataServer && { server: metadataServer }) }));
  // Disposed after the services, which would connect to them again.
  const databases = starting.use(new AsyncDisposableStack());
  const deaths = new Map<string, number>();
  const supervisor = new Supervisor({
    logDir: directory.logDir,
    onCrash: ({ name }) => deaths.set(name, (deaths.get(name) ?? 0) + 1),
  });
  starting.defer(() => supervisor.stop(STOP_GRACE_MS));
  const apiPort = await freePort();
  const { signal } = new AbortController();
  await startServices(supervisor, {
    directory,
    servers: {
      nats: options.hasBusProxy ? { url: `nats://${busProxy.host}:${busProxy.port}` } : nats,
      metadataUrl: metadata.url,
    },
    apiPort,
    signal,
    onReady: () => undefined,
    replicas: options.replicas ?? 1,
    env: { ...SERVICE_ENVIRONMENT, ...options.env },
  });
  const apiUrl = `http://127.0.0.1:${apiPort}`;
  const { adminKey } = directory.installation;
  const running = {
    nats,
    busProxy,
    metadata,
    supervisor,
    deaths,
    databases,
    apiUrl,
    adminKey,
    logDir: directory.logDir,
  };
  return new RunningCluster(options, running, starting.move());
}

function keptDirectory(): string | null {
  return KEPT_LOGS === undefined ? null : path.join(KEPT_LOGS, randomBytes(3).toString('hex'));
}

/** Servers and services end with this process by themselves, their folder would stay. */
function removeAtDeath(folder: string, resources: AsyncDisposableStack): void {
  const watchdog = runAtDeath('rm', ['-rf', '--', folder]);
  resources.defer(() => dismissWatchdog(watchdog));
}

interface Running {
  readonly nats: NatsServer;
  readonly busProxy: FaultProxy;
  readonly metadata: TestDatabase;
  readonly supervisor: Supervisor;
  readonly deaths: ReadonlyMap<string, number>;
  readonly databases: AsyncDisposableStack;
  readonly apiUrl: string;
  readonly adminKey: string;
  readonly logDir: string;
}

class RunningCluster implements Cluster {
  readonly nats: NatsServer;
  readonly busProxy: FaultProxy;
  readonly metadata: TestDatabase;
  readonly apiUrl: string;
  readonly adminKey: string;
  readonly api: ApiClient;
  readonly #options: ClusterOptions;
  readonly #running: Running;
  readonly #resources: AsyncDisposableStack;

  constructor(options: ClusterOptions, running: Running, resources: AsyncDisposableStack) {
    ({
      nats: this.nats,
      busProxy: this.busProxy,
      metadata: this.metadata,
      apiUrl: this.apiUrl,
      adminKey: this.adminKey,
    } = running);
    this.api = new ApiClient(running.apiUrl, running.adminKey, new AbortController().signal);
    this.#options = options;
    this.#running = running;
    this.#resources = resources;
  }

  async sourceDatabase(schema?: string): Promise<TestDatabase> {
    const server = await testServer({ ...majorOf(this.#options.sourceMajor), settings: { cluster_name: 'source' } });
    return this.#running.databases.use(await testDatabase({ server, ...(schema !== undefined && { schema }) }));
  }

  async targetDatabase(): Promise<TestDatabase> {
    const server = await testServer({ ...majorOf(this.#options.targetMajor), settings: { cluster_name: 'target' } });
    return this.#running.databases.use(await testDatabase({ server }));
  }

  async create(
    { source, target }: TaskDatabases,
    more: Partial<z.input<typeof CreateTaskRequest>> = {},
  ): Promise<string> {
    const task = await this.api.createTask({
      name: `e2e-${randomBytes(4).toString('hex')}`,
      source: inputOf(source.endpoint),
      target: inputOf(target.endpoint),
      ...more,
    });
    return task.id;
  }

  async createAndStart(
    databases: TaskDatabases,
    more: Partial<z.input<typeof CreateTaskRequest>> = {},
  ): Promise<string> {
    const taskId = await this.create(databases, more);
    await this.api.act(taskId, 'start');
    return taskId;
  }

  async untilState(taskId: string, state: string): Promise<TaskResource> {
    // The failure of an earlier attempt may be seen until the order to try again has been carried out.
    try {
      return await waitFor(
        `task to be ${state}`,
        async () => {
          const task = await this.api.getTask(taskId);
          if (task.state === state) return task;
          if (task.state.endsWith('_failed'))
            throw new Error(`task is ${task.state}: ${JSON.stringify([task.error, failedChecksOf(task)])}`);
          return undefined;
        },
        { intervalMs: 50 },
      );
    } catch (error) {
      const now = await this.api.getTask(taskId);
      throw new Error(`${String(error)}; it is ${now.state}\n${logTails(this.#running.logDir)}`, { cause: error });
    }
  }

  async untilFailed(taskId: string, state: string, code: ErrorCode): Promise<ErrorReport> {
    const failed = await waitFor(
      `task to be ${state}`,
      async () => {
        const task = await this.api.getTask(taskId);
        return task.state === state || task.state.endsWith('_failed') ? task : undefined;
      },
      { intervalMs: 50 },
    );
    if (failed.state !== state || failed.error?.code !== code) {
      throw new Error(`task is ${failed.state}: ${JSON.stringify(failed.error)}, not ${state} with ${code}`);
    }
    return failed.error;
  }

  kill9(service: string): void {
    const pid = this.pidOf(service);
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  }

  freeze(service: string): () => void {
    const pid = this.pidOf(service);
    if (pid === undefined) throw new Error(`${service} does not run`);
    process.kill(pid, 'SIGSTOP');
    return () => void process.kill(pid, 'SIGCONT');
  }

  logOf(service: string): string {
    return readFileSync(path.join(this.#running.logDir, `${service}.log`), 'utf8');
  }

  restart(service: string, onceEnv: NodeJS.ProcessEnv): Promise<void> {
    return this.#running.supervisor.restart(service, onceEnv);
  }

  pidOf(service: string): number | undefined {
    return this.#running.supervisor.pidOf(service);
  }

  deaths(service: string): number {
    return this.#running.deaths.get(service) ?? 0;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync();
  }
}

function majorOf(major: PostgresMajor | undefined): { major?: PostgresMajor } {
  return major === undefined ? {} : { major };
}

export function inputOf({
  host,
  port,
  database,
  user,
  password,
}: Endpoint): z.input<typeof CreateTaskRequest>['source'] {
  return { host, port, database, user, password: password.reveal() };
}

function failedChecksOf({ precheck }: TaskResource): string[] {
  return (precheck?.checks ?? [])
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ id, evidence }) => `${id}: ${evidence}`);
}
