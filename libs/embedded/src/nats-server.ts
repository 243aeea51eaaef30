import { readFileSync } from 'node:fs';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { classifyStartFailure, EmbeddedError } from './embedded-error.js';
import { freePort } from './free-port.js';
import { ensureNats } from './nats-binary.js';
import { type Report } from './postgres-binaries.js';
import {
  dismissWatchdog,
  isAlive,
  launch,
  NOT_RUNNING,
  pause,
  signal,
  type SupervisedProcess,
  waitUntilGone,
} from './supervised-process.js';

export interface StartNatsOptions {
  /** Holds the configuration, the log and JetStream's files. */
  readonly storeDir: string;
  /** Default: one that is free. */
  readonly port?: number;
  readonly host?: string;
  /** Bound of JetStream's files; default 16 GiB. */
  readonly maxFileStoreBytes?: number;
  /** More lines for its configuration file, as they are. */
  readonly extraConfig?: string;
  readonly log?: Report;
  /** Removes the folder with the server, also when this process is killed. */
  readonly temporary?: boolean;
}

export interface NatsServer extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  readonly storeDir: string;
  isRunning(): boolean;
  stop(): Promise<void>;
  kill9(): Promise<void>;
  /** Stops it if it runs and starts it on the same port; `wipe` removes all that JetStream stored. */
  restart(options?: { readonly wipe?: boolean }): Promise<void>;
}

/** Everything that is needed to control a server from another module instance of the same process; kept up to date in place. */
export interface NatsFacts extends SupervisedProcess {
  readonly host: string;
  readonly port: number;
  readonly storeDir: string;
  readonly binary: string;
  readonly config: string;
  readonly temporary: boolean;
}

export interface EmbeddedNatsServer extends NatsServer {
  readonly facts: NatsFacts;
}

const GIBIBYTE = 1024 ** 3;
const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 15_000;
const PORT_ATTEMPTS = 5;

export async function startNats(options: StartNatsOptions): Promise<EmbeddedNatsServer> {
  const binary = await ensureNats(options.log);
  const storeDir = path.resolve(options.storeDir);
  for (let attempt = 1; ; attempt += 1) {
    const host = options.host ?? '127.0.0.1';
    const port = options.port ?? (await freePort());
    const config = configFile({ ...options, storeDir }, host, port);
    const server = new EmbeddedNats({
      ...NOT_RUNNING,
      host,
      port,
      storeDir,
      binary,
      config,
      temporary: options.temporary ?? false,
    });
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      const mayRetry = error instanceof EmbeddedError && error.failure === 'port-taken' && options.port === undefined;
      if (!mayRetry || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

function configFile(options: StartNatsOptions, host: string, port: number): string {
  return [
    `listen: "${host}:${port}"`,
    'max_payload: 1MB',
    'jetstream {',
    `  store_dir: "${path.join(options.storeDir, 'jetstream')}"`,
    '  max_memory_store: 256MB',
    `  max_file_store: ${options.maxFileStoreBytes ?? 16 * GIBIBYTE}`,
    '}',
    options.extraConfig ?? '',
    '',
  ].join('\n');
}

/** Controls a server that another module instance of this process started. */
export function attachNats(facts: NatsFacts): EmbeddedNatsServer {
  return new EmbeddedNats(facts);
}

class EmbeddedNats implements EmbeddedNatsServer {
  readonly #facts: NatsFacts;

  constructor(facts: NatsFacts) {
    this.#facts = facts;
  }

  get facts(): NatsFacts {
    return this.#facts;
  }
  get url(): string {
    return `nats://${this.host}:${this.port}`;
  }
  get host(): string {
    return this.#facts.host;
  }
  get port(): number {
    return this.#facts.port;
  }
  get pid(): number {
    return this.#facts.pid;
  }
  get storeDir(): string {
    return this.#facts.storeDir;
  }

  isRunning(): boolean {
    return isAlive(this.pid);
  }

  async stop(): Promise<void> {
    signal(this.pid, 'SIGTERM');
    if (!(await waitUntilGone([this.pid], STOP_DEADLINE_MS))) await this.kill9();
    this.#forget();
  }

  async kill9(): Promise<void> {
    signal(this.pid, 'SIGKILL');
    await waitUntilGone([this.pid], STOP_DEADLINE_MS);
    this.#forget();
  }

  async restart({ wipe = false }: { wipe?: boolean } = {}): Promise<void> {
    if (this.isRunning()) await this.stop();
    const { storeDir, config, binary, temporary } = this.#facts;
    if (wipe) await rm(path.join(storeDir, 'jetstream'), { recursive: true, force: true });
    await mkdir(storeDir, { recursive: true });
    const configPath = path.join(storeDir, 'nats.conf');
    await writeFile(configPath, config);
    const logOffset = await stat(this.#logFile()).then(
      ({ size }) => size,
      () => 0,
    );
    const started = launch(binary, ['-c', configPath], {
      cwd: storeDir,
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
      logFile: this.#logFile(),
      temporaryFolders: temporary ? [storeDir] : [],
    });
    Object.assign(this.#facts, started);
    await this.#untilReady(logOffset);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    if (this.#facts.temporary) await rm(this.storeDir, { recursive: true, force: true });
  }

  #forget(): void {
    dismissWatchdog(this.#facts);
    Object.assign(this.#facts, NOT_RUNNING);
  }

  #logFile(): string {
    return path.join(this.storeDir, 'nats.log');
  }

  async #untilReady(logOffset: number): Promise<void> {
    const deadline = Date.now() + START_DEADLINE_MS;
    const log = (): string => readFileSync(this.#logFile()).subarray(logOffset).toString();
    // "Server is ready" comes after JetStream's recovery and after the port is bound.
    while (!(log().includes('Server is ready') && (await greets(this.host, this.port)))) {
      const hasFailed = !this.isRunning() || Date.now() > deadline;
      if (hasFailed) {
        const error = classifyStartFailure(`nats-server on port ${this.port} (data in ${this.storeDir})`, log());
        await this.kill9();
        throw error;
      }
      await pause();
    }
  }
}

/** True if the port is answered with a greeting of a NATS server. */
function greets(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (chunk) => settle(chunk.toString().startsWith('INFO ')));
    socket.once('error', () => settle(false));
  });
}
