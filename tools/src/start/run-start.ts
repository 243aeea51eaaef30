import { type CreateTaskRequest, type TaskResource } from '@sluice/contracts';
import { type Endpoint } from '@sluice/postgres-client';
import { randomBytes } from 'node:crypto';
import { type z } from 'zod';
import { startTraffic, type Traffic } from '../sample/traffic/traffic.js';
import { ApiClient } from './api-client.js';
import { type ApiPort, API_PORT_DEFAULT, chooseApiPort } from './api-port.js';
import { type Databases, type StartOptions } from './arguments.js';
import { type DataDirectory, openDataDirectory } from './data-directory.js';
import { type Display } from './display.js';
import { TaskFollower } from './follow-task.js';
import { formatDuration } from './format.js';
import { type Interrupt } from './interrupt.js';
import { lookBefore } from './leftovers.js';
import { loadAndFinish, stayIncremental, type TaskRun } from './task-run.js';
import { releaseTask } from './release-task.js';
import { type SampleServers, startControlServers, startSampleServers } from './servers.js';
import { startServices } from './services.js';
import { Supervisor } from './supervisor.js';
import { type ExitCode } from './usage.js';

const SERVICE_GRACE_MS = 8_000;
/** What the servers may take after the services. */
const SERVERS_STOP_MS = 1_500;
const TRAFFIC_SEED = 1;

export interface StartContext {
  readonly display: Display;
  readonly interrupt: Interrupt;
  /** Called with what must be done when nothing can be waited for any more. */
  readonly onEmergency: (action: () => void) => void;
}

/** The whole life of `npm start`. Everything it starts is stopped again before it resolves or rejects. */
export async function runStart(options: StartOptions, context: StartContext): Promise<ExitCode> {
  const { display, interrupt } = context;
  await using resources = new AsyncDisposableStack();
  const directory = resources.use(await openDataDirectory(options.keepDir));
  context.onEmergency(() => directory.abandon());
  const apiPort = await chooseApiPort(options.port);
  display.line(
    `Data in ${directory.path}${directory.isKept ? '' : ', removed at the end'}; logs in ${directory.logDir}`,
  );
  if (apiPort.isSubstitute) display.line(`! port ${API_PORT_DEFAULT} is taken; the API takes ${apiPort.port} instead`);

  // Disposed of in the opposite order: the services end while their servers still run.
  const servers = resources.use(new AsyncDisposableStack());
  const services = resources.use(new AsyncDisposableStack());
  const { sample, databases } = await startAll(options, { ...context, directory, apiPort, servers, services });
  interrupt.signal.throwIfAborted();
  const apiUrl = `http://127.0.0.1:${apiPort.port}`;
  const api = new ApiClient(apiUrl, directory.installation.adminKey, interrupt.signal);
  const before = await lookBefore(databases);
  const traffic = sample && startSampleTraffic(sample, resources, context);
  const task = await findOrCreateTask(api, databases, { display, sample, directory });

  const run: TaskRun = {
    taskId: task.id,
    api,
    display,
    databases,
    before,
    follower: new TaskFollower(api, display),
    signal: interrupt.signal,
  };
  const mustRelease = options.databases !== null && !directory.isKept;
  if (mustRelease) resources.defer(() => releaseUnlessOver(run, interrupt));
  if (options.once) return await loadAndFinish(run, task, options.incrementalSeconds ?? 0);
  return await stayIncremental(run, task, { apiUrl, adminKey: directory.installation.adminKey, directory, traffic });
}

interface Starting extends StartContext {
  readonly directory: DataDirectory;
  readonly apiPort: ApiPort;
  readonly servers: AsyncDisposableStack;
  readonly services: AsyncDisposableStack;
}

/** Servers and services; the sample is filled while the services start. */
async function startAll(
  options: StartOptions,
  { display, interrupt, onEmergency, directory, apiPort, ...stacks }: Starting,
): Promise<{ sample: SampleServers | null; databases: Databases }> {
  const startedAtMs = performance.now();
  const since = (): string => formatDuration(performance.now() - startedAtMs);
  const log = (text: string): void => display.line(`  ${text}`);
  const doing = (text: string): void => display.status([`  ${text}`]);
  const startSample = async (): Promise<SampleServers | null> => {
    if (options.databases) return null;
    doing('starting the sample databases and filling the source');
    const sample = await startSampleServers(directory, stacks.servers, { log, signal: interrupt.signal });
    display.line(`✓ sample source filled, sample target empty (${since()})`);
    return sample;
  };
  const startControl = async (): Promise<void> => {
    doing('starting the message bus and the metadata database');
    const servers = await startControlServers(directory, stacks.servers, log);
    display.line(`✓ message bus and metadata database run (${since()})`);
    const supervisor = new Supervisor({
      logDir: directory.logDir,
      onCrash: ({ name, cause, restartInMs }) =>
        display.line(`! ${name} ended (${cause}); started again in ${formatDuration(restartInMs)}`),
    });
    onEmergency(() => supervisor.kill());
    stacks.services.defer(() =>
      supervisor.stop(Math.min(SERVICE_GRACE_MS, Math.max(0, interrupt.remainingMs() - SERVERS_STOP_MS))),
    );
    await startServices(supervisor, {
      directory,
      servers,
      apiPort: apiPort.port,
      signal: interrupt.signal,
      onReady: (ready, total) => doing(`services ready: ${ready} of ${total}`),
    });
    display.clear();
    display.line(`✓ all services are ready; API on http://127.0.0.1:${apiPort.port}/api/v1 (${since()})`);
  };
  const [control, sample] = await Promise.allSettled([startControl(), startSample()]);
  display.clear();
  if (control.status === 'rejected') throw control.reason;
  if (sample.status === 'rejected') throw sample.reason;
  const databases = options.databases ?? sample.value;
  if (!databases) throw new Error('neither own nor sample databases');
  return { sample: sample.value, databases };
}

function startSampleTraffic(
  sample: SampleServers,
  resources: AsyncDisposableStack,
  { display, interrupt }: StartContext,
): Traffic {
  const stop = new AbortController();
  const traffic = startTraffic(sample.source, {
    signal: AbortSignal.any([stop.signal, interrupt.signal]),
    seed: TRAFFIC_SEED,
  });
  traffic.done.catch((error: unknown) => {
    display.line(`! the sample's live writes have ended: ${error instanceof Error ? error.message : String(error)}`);
  });
  resources.defer(async () => {
    stop.abort();
    await traffic.done.catch(() => undefined);
  });
  return traffic;
}

const OVER = new Set(['ended', 'completed']);

/** A kept directory may hold a task on the same databases that is not over: it goes on. */
async function findOrCreateTask(
  api: ApiClient,
  databases: Databases,
  { display, sample, directory }: { display: Display; sample: SampleServers | null; directory: DataDirectory },
): Promise<TaskResource> {
  const unfinished = (await api.listTasks()).find(
    (task) => !OVER.has(task.state) && isAt(task.source, databases.source) && isAt(task.target, databases.target),
  );
  if (unfinished) {
    display.line(`✓ task ${unfinished.name} from an earlier run goes on (${unfinished.state})`);
    return unfinished;
  }
  if (directory.isKept) await sample?.emptyTarget();
  const task = await api.createTask({
    name: `start-${randomBytes(4).toString('hex')}`,
    syncType: 'full_and_incremental',
    source: endpointInput(databases.source),
    target: endpointInput(databases.target),
  });
  display.line(`✓ task ${task.name} created (${task.id})`);
  return task;
}

function isAt(view: TaskResource['source'], endpoint: Endpoint): boolean {
  return view?.host === endpoint.host && view.port === endpoint.port && view.database === endpoint.database;
}

function endpointInput({
  host,
  port,
  database,
  user,
  password,
  tls,
}: Endpoint): z.input<typeof CreateTaskRequest>['source'] {
  const { key, ...rest } = tls;
  return {
    host,
    port,
    database,
    user,
    password: password.reveal(),
    tls: { ...rest, ...(key && { key: key.reveal() }) },
  };
}

async function releaseUnlessOver({ api, taskId, display }: TaskRun, interrupt: Interrupt): Promise<void> {
  const remainingMs = interrupt.remainingMs();
  const reader = api.until(AbortSignal.timeout(remainingMs));
  const task = await reader.getTask(taskId).catch(() => null);
  if (task && OVER.has(task.state)) return;
  // A task whose checks failed has touched neither server.
  if (task?.state === 'start_failed' || task?.state === 'configuring') return;
  await releaseTask(taskId, { api: reader, display, remainingMs });
}
