import { type AddressInfo, createServer, type Server } from 'node:net';
import { type Direction, FaultyLink, type LinkFaults } from './faulty-link.js';

export interface CutOptions {
  /** Which way the bytes go; default: from the server to the client. */
  readonly direction?: Direction;
  /** Whether the bytes that trigger the cut still arrive; default: they do not. */
  readonly deliver?: boolean;
}

/** A TCP proxy in front of a server; each method is one way in which a network fails. */
export interface FaultProxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly connectionCount: number;
  /** Resets all connections; new ones are accepted. */
  cut(): void;
  /** New connections are refused; those there are live on. */
  refuse(): Promise<void>;
  /** Everything from now on arrives that much later. */
  delay(ms: number): void;
  /** Bytes vanish, connections stay: a network that went away without a word. New connections are accepted, and dead too. */
  halfOpen(): void;
  /** Bytes that vanished. */
  readonly swallowedBytes: number;
  /** After `halfOpen`: what is connected from now on is sound, what was connected before stays dead. */
  passNewConnections(): void;
  /** Resets the connection over which the n-th byte from now passes. @returns a promise for that moment. */
  cutAfterBytes(count: number, options?: Pick<CutOptions, 'direction'>): Promise<void>;
  /** Resets the connection over which these bytes pass next. @returns a promise for that moment. */
  cutOn(pattern: Buffer | string, options?: CutOptions): Promise<void>;
  /** A healthy network again. Connections that lost bytes are reset, as they could never go on. */
  restore(): Promise<void>;
}

const HOST = '127.0.0.1';

export async function faultProxy({ target }: { target: { host: string; port: number } }): Promise<FaultProxy> {
  const proxy = new TcpFaultProxy(target);
  await proxy.listen(0);
  return proxy;
}

class TcpFaultProxy implements FaultProxy {
  readonly host = HOST;
  readonly #target: { host: string; port: number };
  readonly #links = new Set<FaultyLink>();
  readonly #faults: LinkFaults = { delayMs: 0, swallowsUntil: 0, swallowedBytes: 0, triggers: new Set() };
  #linkCount = 0;
  #server: Server | null = null;
  #port = 0;

  constructor(target: { host: string; port: number }) {
    // A server's host and port may be getters, which a spread would leave out.
    this.#target = { host: target.host, port: target.port };
  }

  get port(): number {
    return this.#port;
  }

  get connectionCount(): number {
    return this.#links.size;
  }

  listen(port: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (client) => {
      this.#linkCount += 1;
      const link = new FaultyLink(client, { target: this.#target, number: this.#linkCount, faults: this.#faults });
      this.#links.add(link);
      void link.closed.then(() => this.#links.delete(link));
    });
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, HOST, () => {
        this.#port = (server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  cut(): void {
    for (const link of this.#links) link.reset();
  }

  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    // The callback comes when the last connection is gone; the port itself is closed at once.
    server?.close();
    await Promise.resolve();
  }

  delay(ms: number): void {
    this.#faults.delayMs = ms;
  }

  halfOpen(): void {
    this.#faults.swallowsUntil = Infinity;
  }

  get swallowedBytes(): number {
    return this.#faults.swallowedBytes;
  }

  passNewConnections(): void {
    this.#faults.swallowsUntil = this.#linkCount;
  }

  cutAfterBytes(count: number, { direction = 'to-client' }: Pick<CutOptions, 'direction'> = {}): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#faults.triggers.add({ kind: 'bytes', direction, remaining: count, fired: resolve });
    return promise;
  }

  cutOn(pattern: Buffer | string, { direction = 'to-client', deliver = false }: CutOptions = {}): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const bytes = typeof pattern === 'string' ? Buffer.from(pattern) : pattern;
    this.#faults.triggers.add({ kind: 'pattern', direction, bytes, deliver, fired: resolve });
    return promise;
  }

  async restore(): Promise<void> {
    this.#faults.delayMs = 0;
    this.#faults.swallowsUntil = 0;
    this.#faults.triggers.clear();
    for (const link of this.#links) if (link.hasLostBytes) link.reset();
    if (!this.#server) await this.listen(this.#port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.refuse();
    const closed = [...this.#links].map((link) => link.closed);
    this.cut();
    await Promise.all(closed);
  }
}
