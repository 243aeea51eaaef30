import { type TaskResource } from '@sluice/contracts';
import { freePort } from '@sluice/embedded';
import { delay } from '@sluice/kernel';
import { type Endpoint } from '@sluice/postgres-client';
import { ApiClient } from '../start/api-client.js';
import { openDataDirectory } from '../start/data-directory.js';
import { startControlServers } from '../start/servers.js';
import { DATA_PLANE, startServices } from '../start/services.js';
import { Supervisor } from '../start/supervisor.js';

const STATE_POLL_MS = 20;
const STATE_DEADLINE_MS = 30 * 60_000;
const SERVICE_GRACE_MS = 8_000;
const SERVICES = ['task-management', ...DATA_PLANE, 'notification'];

export interface NamedProcess {
  readonly name: string;
  readonly pid: number;
}

/** All services of Sluice as processes, driven over REST as a user would. */
export interface SluiceStack {
  readonly api: ApiClient;
  createTask(name: string, databases: { readonly source: Endpoint; readonly target: Endpoint }): Promise<string>;
  /** @throws when the task fails instead. */
  untilState(taskId: string, state: string): Promise<TaskResource>;
  /** Does what a state needs, and waits for it. */
  act(taskId: string, action: 'start' | 'pause' | 'resume' | 'end', state: string): Promise<void>;
  /** The services that run now. */
  services(): NamedProcess[];
  /** The services and their bus. */
  processes(): NamedProcess[];
}

/** @param env more variables for all services. */
export async function startSluice(
  resources: AsyncDisposableStack,
  { log, env }: { readonly log: (line: string) => void; readonly env: Readonly<Record<string, string>> },
): Promise<SluiceStack> {
  const directory = resources.use(await openDataDirectory(null));
  const servers = await startControlServers(directory, resources, log);
  const supervisor = new Supervisor({
    logDir: directory.logDir,
    onCrash: ({ name, cause }) => log(`${name} ended: ${cause}`),
  });
  resources.defer(() => supervisor.stop(SERVICE_GRACE_MS));
  const signal = new AbortController().signal;
  const apiPort = await freePort();
  await startServices(supervisor, { directory, servers, apiPort, signal, onReady: () => undefined, env });
  const api = new ApiClient(`http://127.0.0.1:${apiPort}`, directory.installation.adminKey, signal);
  const services = (): NamedProcess[] =>
    SERVICES.flatMap((name) => {
      const pid = supervisor.pidOf(name);
      return pid === undefined ? [] : [{ name, pid }];
    });
  return {
    api,
    createTask: async (name, { source, target }) => {
      const task = await api.createTask({ name, source: inputOf(source), target: inputOf(target) });
      return task.id;
    },
    untilState: (taskId, state) => untilState(api, taskId, state),
    act: async (taskId, action, state) => {
      await api.act(taskId, action);
      await untilState(api, taskId, state);
    },
    services,
    processes: () => [...services(), { name: 'nats-server', pid: servers.nats.pid }],
  };
}

async function untilState(api: ApiClient, taskId: string, state: string): Promise<TaskResource> {
  const deadline = performance.now() + STATE_DEADLINE_MS;
  for (;;) {
    const task = await api.getTask(taskId);
    if (task.state === state) return task;
    if (task.state.endsWith('_failed')) {
      const checks = (task.precheck?.checks ?? [])
        .filter(({ outcome }) => outcome === 'failed')
        .map(({ evidence }) => evidence);
      throw new Error(`task is ${task.state}: ${task.error?.detail ?? ''} ${checks.join('; ')}`);
    }
    if (performance.now() > deadline) throw new Error(`task is still ${task.state}`);
    await delay(STATE_POLL_MS);
  }
}

function inputOf({ host, port, database, user, password }: Endpoint) {
  return { host, port, database, user, password: password.reveal() };
}
