import { Secret } from '@sluice/kernel';
import { type Endpoint } from '@sluice/postgres-client';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { prepareDataFolder, serverEnvironment, SUPERUSER, temporaryPaths, writeSettings } from './data-folder.js';
import { classifyStartFailure, EmbeddedError } from './embedded-error.js';
import { freePort } from './free-port.js';
import { ensurePostgres, type PostgresBinaries, type Report } from './postgres-binaries.js';
import { DEFAULT_POSTGRES_MAJOR, type PostgresMajor } from './postgres-versions.js';
import { asServerAccount, giveToServerAccount } from './server-account.js';
import {
  childPids,
  dismissWatchdog,
  isAlive,
  launch,
  NOT_RUNNING,
  pause,
  runAtDeath,
  signal,
  type SupervisedProcess,
  waitUntilGone,
} from './supervised-process.js';

export type StopMode = 'smart' | 'fast' | 'immediate';

export interface StartPostgresOptions {
  readonly major?: PostgresMajor;
  /** Server programs that are installed already, of that major; default: those of the embedded packages. */
  readonly binaries?: PostgresBinaries;
  readonly dataDir: string;
  /** Default: one that is free. */
  readonly port?: number;
  /** Where it listens besides its Unix socket; default 127.0.0.1. */
  readonly host?: string;
  /** Settings of postgresql.conf; they replace our defaults of the same name. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Of the superuser `postgres`; default: random, kept in the data folder. */
  readonly password?: string;
  /** Told what is being installed. */
  readonly log?: Report;
  /** Removes the data folder with the server, also when this process is killed. */
  readonly temporary?: boolean;
}

export interface PostgresServer extends AsyncDisposable {
  readonly major: PostgresMajor;
  readonly host: string;
  readonly port: number;
  readonly socketDir: string;
  readonly dataDir: string;
  readonly superuser: string;
  readonly password: string;
  readonly pid: number;
  url(database: string): string;
  endpoint(database: string): Endpoint;
  isRunning(): boolean;
  stop(mode?: StopMode): Promise<void>;
  /** Ends all its processes at once, as a power failure would. */
  kill9(): Promise<void>;
  /** Stops it if it runs, and starts it on the same data and port; `settings` replace those it was started with. */
  restart(options?: { readonly mode?: StopMode; readonly settings?: Readonly<Record<string, string>> }): Promise<void>;
}

/** Everything that is needed to control a server from another module instance of the same process; kept up to date in place. */
export interface PostgresFacts extends SupervisedProcess {
  readonly major: PostgresMajor;
  readonly host: string;
  readonly port: number;
  readonly socketDir: string;
  readonly dataDir: string;
  readonly password: string;
  settings: Readonly<Record<string, string>>;
  readonly temporary: boolean;
  readonly postgres: string;
}

export interface EmbeddedPostgresServer extends PostgresServer {
  readonly facts: PostgresFacts;
}

const STOP_SIGNALS: Readonly<Record<StopMode, NodeJS.Signals>> = {
  smart: 'SIGTERM',
  fast: 'SIGINT',
  immediate: 'SIGQUIT',
};

/** Room for many tasks on one server; logical decoding needs `wal_level`. */
const DEFAULT_SETTINGS: Readonly<Record<string, string>> = {
  wal_level: 'logical',
  max_connections: '200',
  max_wal_senders: '40',
  max_replication_slots: '40',
  max_worker_processes: '16',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
};

/** For data that may be lost at a crash of the machine. A mapped file instead of shared memory leaves nothing behind after kill -9. */
export const TEST_SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'on',
  dynamic_shared_memory_type: 'mmap',
  shared_buffers: '64MB',
  max_wal_size: '2GB',
  autovacuum_naptime: '10s',
};

/** Recovery after a crash with a lot of WAL takes its time. */
const START_DEADLINE_MS = 120_000;
const STOP_DEADLINE_MS = 60_000;
const KILL_DEADLINE_MS = 10_000;
/** Another process can take a port between the moment it was found free and our bind. */
const PORT_ATTEMPTS = 5;

export async function startPostgres(options: StartPostgresOptions): Promise<EmbeddedPostgresServer> {
  const binaries = options.binaries ?? (await ensurePostgres(options.major ?? DEFAULT_POSTGRES_MAJOR, options.log));
  const dataDir = path.resolve(options.dataDir);
  // The server's own watchdog comes with its start; until then a half-made data folder has to go too.
  const guard = options.temporary ? runAtDeath('rm', ['-rf', '--', ...temporaryPaths(dataDir)]) : NOT_RUNNING;
  try {
    return await prepareAndStart({ ...options, dataDir }, binaries);
  } finally {
    dismissWatchdog(guard);
  }
}

async function prepareAndStart(
  options: StartPostgresOptions,
  binaries: PostgresBinaries,
): Promise<EmbeddedPostgresServer> {
  const { dataDir } = options;
  const password = await prepareDataFolder(dataDir, binaries, options.password);
  for (let attempt = 1; ; attempt += 1) {
    const server = await describeServer(options, binaries, password);
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      const mayRetry = error instanceof EmbeddedError && error.failure === 'port-taken' && options.port === undefined;
      if (!mayRetry || attempt === PORT_ATTEMPTS) throw error;
      await prepareDataFolder(dataDir, binaries, password);
    }
  }
}

async function describeServer(
  options: StartPostgresOptions,
  binaries: PostgresBinaries,
  password: string,
): Promise<EmbeddedPostgres> {
  // Directly below /tmp: the path of a Unix socket has at most 103 bytes on macOS.
  const socketDir = await mkdtemp('/tmp/sluice-pg-');
  giveToServerAccount(socketDir);
  return new EmbeddedPostgres({
    ...NOT_RUNNING,
    major: binaries.major,
    host: options.host ?? '127.0.0.1',
    port: options.port ?? (await freePort()),
    socketDir,
    dataDir: options.dataDir,
    password,
    settings: { ...DEFAULT_SETTINGS, ...options.settings },
    temporary: options.temporary ?? false,
    postgres: binaries.postgres,
  });
}

/** Controls a server that another module instance of this process started. */
export function attachPostgres(facts: PostgresFacts): EmbeddedPostgresServer {
  return new EmbeddedPostgres(facts);
}

/** Controls the server by process id only (see `launch`), so that it can be described as plain data. */
class EmbeddedPostgres implements EmbeddedPostgresServer {
  readonly superuser = SUPERUSER;
  readonly #facts: PostgresFacts;

  constructor(facts: PostgresFacts) {
    this.#facts = facts;
  }

  get facts(): PostgresFacts {
    return this.#facts;
  }
  get major(): PostgresMajor {
    return this.#facts.major;
  }
  get host(): string {
    return this.#facts.host;
  }
  get port(): number {
    return this.#facts.port;
  }
  get socketDir(): string {
    return this.#facts.socketDir;
  }
  get dataDir(): string {
    return this.#facts.dataDir;
  }
  get password(): string {
    return this.#facts.password;
  }
  get pid(): number {
    return this.#facts.pid;
  }

  url(database: string): string {
    const password = encodeURIComponent(this.password);
    return `postgres://${this.superuser}:${password}@${this.host}:${this.port}/${encodeURIComponent(database)}`;
  }

  endpoint(database: string): Endpoint {
    const { host, port, superuser: user } = this;
    return { host, port, database, user, password: new Secret(this.password), tls: { mode: 'disable' } };
  }

  isRunning(): boolean {
    return isAlive(this.pid);
  }

  async stop(mode: StopMode = 'fast'): Promise<void> {
    const { pid } = this;
    if (isAlive(pid)) {
      signal(pid, STOP_SIGNALS[mode]);
      if (!(await waitUntilGone([pid], STOP_DEADLINE_MS))) {
        await this.kill9();
        throw new EmbeddedError('stop-failed', {
          detail: `PostgreSQL on port ${this.port} did not stop (${mode}) within ${STOP_DEADLINE_MS / 1000} s and was killed`,
          remedy: `See its log: ${this.#logFile()}`,
        });
      }
    }
    dismissWatchdog(this.#facts);
    Object.assign(this.#facts, NOT_RUNNING);
  }

  async kill9(): Promise<void> {
    const { pid } = this;
    const processes = [pid, ...childPids(pid)];
    processes.forEach((each) => signal(each, 'SIGKILL'));
    await waitUntilGone(processes, KILL_DEADLINE_MS);
    removeSharedMemory(this.dataDir);
    dismissWatchdog(this.#facts);
    Object.assign(this.#facts, NOT_RUNNING);
  }

  async restart(options: { mode?: StopMode; settings?: Readonly<Record<string, string>> } = {}): Promise<void> {
    if (this.isRunning()) await this.stop(options.mode);
    const { dataDir, socketDir, host, port, temporary, postgres } = this.#facts;
    const settings = { ...this.#facts.settings, ...options.settings };
    await writeSettings(dataDir, {
      ...settings,
      listen_addresses: host,
      port: String(port),
      unix_socket_directories: socketDir,
    });
    const logOffset = await stat(this.#logFile()).then(
      ({ size }) => size,
      () => 0,
    );
    const started = launch(postgres, ['-D', dataDir], {
      ...asServerAccount(),
      cwd: dataDir,
      env: serverEnvironment(),
      logFile: this.#logFile(),
      temporaryFolders: temporary ? [socketDir, dataDir] : [socketDir],
    });
    Object.assign(this.#facts, started, { settings });
    await this.#untilReady(logOffset);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('fast');
    await rm(this.socketDir, { recursive: true, force: true });
    if (this.#facts.temporary) await rm(this.dataDir, { recursive: true, force: true });
  }

  #logFile(): string {
    return path.join(this.dataDir, 'server.log');
  }

  async #untilReady(logOffset: number): Promise<void> {
    const deadline = Date.now() + START_DEADLINE_MS;
    const fail = (): EmbeddedError => {
      const log = readFileSync(this.#logFile()).subarray(logOffset).toString();
      return classifyStartFailure(`PostgreSQL ${this.major} on port ${this.port} (data in ${this.dataDir})`, log);
    };
    while (!this.#isReady()) {
      if (!this.isRunning()) {
        dismissWatchdog(this.#facts);
        throw fail();
      }
      if (Date.now() > deadline) {
        await this.kill9();
        throw fail();
      }
      await pause();
    }
  }

  /** Line 1 of postmaster.pid is the process id, line 8 its status: what pg_ctl looks at. */
  #isReady(): boolean {
    const lines = postmasterFile(this.dataDir);
    return Number(lines[0]) === this.pid && ['ready', 'standby'].includes(lines[7]?.trim() ?? '');
  }
}

function postmasterFile(dataDir: string): string[] {
  const file = path.join(dataDir, 'postmaster.pid');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
}

/** A killed server leaves its System V segment behind; its id is the last word of line 7 of postmaster.pid. */
function removeSharedMemory(dataDir: string): void {
  const segment = postmasterFile(dataDir)[6]?.trim().split(/\s+/).at(-1);
  if (segment) spawnSync('ipcrm', ['-m', segment], { stdio: 'ignore' });
}
