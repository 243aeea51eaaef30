import { jetstream, type JetStreamClient, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, nkeyAuthenticator, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { RUNS_STREAM } from '@sluice/contracts';
import { backoffDelayMs, delay, type Secret } from '@sluice/kernel';
import { createLogger, type Logger } from '@sluice/telemetry';
import { busUnavailable, hasJsError, JS_ERROR } from './bus-error.js';
import { createTopology } from './topology.js';

export interface ConnectBusOptions {
  /** `nats://host:port`, several separated by commas. */
  readonly servers: string;
  /** Name of the process, shown by the server. */
  readonly name: string;
  readonly token?: Secret;
  readonly nkeySeed?: Secret;
  readonly log?: Logger;
  /** Copies that the servers of a cluster keep of every stream; default 1. */
  readonly replicas?: number;
  /** Ends the attempts to connect. */
  readonly signal?: AbortSignal;
}

/** State of the connection, for health checks. */
export interface BusStatus {
  readonly connected: boolean;
  readonly server: string | null;
  /** False until streams and consumers were seen or made after the last loss. */
  readonly topologyReady: boolean;
}

type BusEvent = 'disconnect' | 'reconnect' | 'topology-lost';

const CONNECT_BACKOFF = { baseMs: 200, capMs: 3_000 };
const CONNECT_TIMEOUT_MS = 3_000;
const RECONNECT_WAIT_MS = 250;
/** Two unanswered pings end a dead connection within the ack wait of a run (6 s). */
const PING_INTERVAL_MS = 2_500;
const PINGS_UNANSWERED_MAX = 2;
/** How soon a stream that was deleted under us is noticed; a restart of the server is noticed at once. */
const TOPOLOGY_CHECK_INTERVAL_MS = 5_000;
const CONNECTED_TIMEOUT_MS = 5_000;
/** After this the connection is cut instead of drained; the whole shutdown has 10 s (I10). */
const DRAIN_TIMEOUT_MS = 1_000;

/** Connects, waiting with backoff until a server is there; afterwards reconnects for ever. */
export async function connectBus(options: ConnectBusOptions): Promise<Bus> {
  const log = options.log ?? createLogger({ service: options.name });
  for (let attempt = 0; ; attempt += 1) {
    options.signal?.throwIfAborted();
    try {
      const connection = await connect(connectionOptions(options));
      const manager = await jetstreamManager(connection, { checkAPI: false });
      return new Bus(connection, manager, { log, replicas: options.replicas ?? 1 });
    } catch (error) {
      log[attempt < 5 ? 'info' : 'warn']({ err: error }, 'message bus not reachable yet');
      await delay(backoffDelayMs(attempt, CONNECT_BACKOFF), options.signal);
    }
  }
}

function connectionOptions({ servers, name, token, nkeySeed }: ConnectBusOptions): NodeConnectionOptions {
  return {
    servers: servers.split(',').map((server) => server.trim()),
    name,
    timeout: CONNECT_TIMEOUT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    // A wrong token during a rolling change of configuration must not end the process for good.
    ignoreAuthErrorAbort: true,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: PINGS_UNANSWERED_MAX,
    ...(token && { token: token.reveal() }),
    ...(nkeySeed && { authenticator: nkeyAuthenticator(new TextEncoder().encode(nkeySeed.reveal())) }),
  };
}

/**
 * The connection to NATS and what must exist on it.
 *
 * Maintained invariant: when the streams that this process knew are gone (wiped and started again, or deleted),
 * `topology-lost` is emitted before anything new is handed out, so that no run goes on that another worker gets, too.
 */
export class Bus implements AsyncDisposable {
  /** For this library only: whoever else needs it is missing a function here. */
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly jetstream: JetStreamClient;
  readonly log: Logger;
  /** Copies of every stream that the configuration asks for. */
  readonly replicas: number;
  readonly #listeners = new Map<BusEvent, Set<() => void>>();
  readonly #closing = new AbortController();
  #isConnected = true;
  #topologyReady = false;
  /** Creation time of the runs stream: another value is another stream, though its name is the same. */
  #runsCreated: string | null = null;
  #ensuring: Promise<void> | null = null;

  constructor(
    connection: NatsConnection,
    manager: JetStreamManager,
    { log, replicas }: { readonly log: Logger; readonly replicas: number },
  ) {
    this.connection = connection;
    this.manager = manager;
    this.jetstream = jetstream(connection);
    this.log = log;
    this.replicas = replicas;
    void this.#followConnection();
    void this.#followTopology();
  }

  get isConnected(): boolean {
    return this.#isConnected && !this.connection.isClosed();
  }

  get status(): BusStatus {
    return {
      connected: this.isConnected,
      server: this.isConnected ? this.connection.getServer() : null,
      topologyReady: this.#topologyReady,
    };
  }

  /** Calls `listener` at every such event; returns what ends that. */
  on(event: BusEvent, listener: () => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** The streams of this process are gone with everything in them, and were made again: publish again what must be there. */
  onTopologyLost(listener: () => void): () => void {
    return this.on('topology-lost', listener);
  }

  /** Resolves when there is a connection and everything exists on it; rejects when that cannot be reached. */
  async whenReady(timeoutMs: number): Promise<void> {
    await this.#whenConnected(timeoutMs);
    if (!this.#topologyReady) await this.ensureTopology();
  }

  async #whenConnected(timeoutMs: number): Promise<void> {
    if (this.isConnected) return;
    const connected = Promise.withResolvers<void>();
    const forget = this.on('reconnect', connected.resolve);
    const timer = setTimeout(() => connected.reject(new Error('not connected')), timeoutMs);
    try {
      await connected.promise;
    } finally {
      clearTimeout(timer);
      forget();
    }
  }

  /** The outcome of `work`, or a rejection as soon as the connection is lost: what was sent before is not answered any more. */
  async whileConnected<T>(work: Promise<T>): Promise<T> {
    const lost = Promise.withResolvers<never>();
    const forget = this.on('disconnect', () => lost.reject(new Error('connection lost')));
    try {
      return await Promise.race([work, lost.promise]);
    } finally {
      forget();
      work.catch(() => undefined);
    }
  }

  /** Makes streams, bucket and consumers, or brings them up to date. Any number of processes may do so at the same time. */
  ensureTopology(): Promise<void> {
    this.#ensuring ??= this.#ensureTopology().finally(() => {
      this.#ensuring = null;
    });
    return this.#ensuring;
  }

  /** Sends what is buffered, then closes. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.connection.isClosed()) return;
    const drained = new AbortController();
    const drain = this.connection.drain().finally(() => drained.abort());
    await Promise.race([drain, delay(DRAIN_TIMEOUT_MS, drained.signal)]).catch(() => undefined);
    await this.connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #ensureTopology(): Promise<void> {
    try {
      await this.#whenConnected(CONNECTED_TIMEOUT_MS);
      const created = await this.whileConnected(createTopology(this));
      const isLost = this.#runsCreated !== null && this.#runsCreated !== created;
      this.#runsCreated = created;
      this.#topologyReady = true;
      if (isLost) this.#reportLoss();
    } catch (error) {
      throw busUnavailable('streams and consumers could not be made', error);
    }
  }

  #reportLoss(): void {
    this.log.warn('streams of the message bus were lost and made again');
    this.#emit('topology-lost');
  }

  #emit(event: BusEvent): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener();
  }

  async #followConnection(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'disconnect') {
        this.#isConnected = false;
        this.#topologyReady = false;
        this.log.warn('message bus disconnected');
        this.#emit('disconnect');
      } else if (status.type === 'reconnect') {
        this.#isConnected = true;
        this.log.info('message bus reconnected');
        this.#emit('reconnect');
        void this.#checkTopology();
      }
    }
  }

  async #followTopology(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await delay(TOPOLOGY_CHECK_INTERVAL_MS, signal).catch(() => undefined);
      if (this.isConnected && !signal.aborted) await this.#checkTopology();
    }
  }

  async #checkTopology(): Promise<void> {
    // Before the first ensureTopology() nothing can be lost.
    if (this.#runsCreated === null) return;
    try {
      const { created } = await this.manager.streams.info(RUNS_STREAM.name);
      if (created === this.#runsCreated) {
        this.#topologyReady = true;
        return;
      }
    } catch (error) {
      if (!hasJsError(error, JS_ERROR.streamNotFound)) return;
    }
    this.#topologyReady = false;
    // The next check tries again.
    await this.ensureTopology().catch(() => undefined);
  }
}
