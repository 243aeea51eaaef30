import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { assert } from '@sluice/kernel';
import { SECURITY_HEADERS } from './security-headers.js';
import { type GaugeSource, METRICS_CONTENT_TYPE, renderGauges } from './metrics.js';

/** State of one thing that the service depends on. */
export interface DependencyState {
  readonly ready: boolean;
  /** For people; no secrets. */
  readonly detail?: string;
}

export type HealthCheck = () => DependencyState | Promise<DependencyState>;

/** A check that takes longer counts as not ready: the one who asks has a deadline of its own. */
const CHECK_TIMEOUT_MS = 2_000;

/**
 * Answers `/health/live`, `/health/ready` and `/metrics` from the first moment on, before there is a bus or an application;
 * everything else goes to the application once it is there.
 */
export class HealthServer {
  readonly #server: Server;
  readonly #checks = new Map<string, HealthCheck>();
  readonly #gauges: GaugeSource[] = [];
  #application: RequestListener | null = null;

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async listen(options: { readonly host: string; readonly port: number }): Promise<HealthServer> {
    const health = new HealthServer();
    await new Promise<void>((resolve, reject) => {
      health.#server.once('error', reject);
      health.#server.listen(options.port, options.host, () => resolve());
    });
    return health;
  }

  get port(): number {
    const address = this.#server.address();
    assert(typeof address === 'object' && address !== null, 'the health server listens on TCP');
    return address.port;
  }

  /** Adds something that must be ready before this service is. */
  addCheck(name: string, check: HealthCheck): void {
    this.#checks.set(name, check);
  }

  /** Adds numbers to `/metrics`. */
  addGauges(gauges: GaugeSource): void {
    this.#gauges.push(gauges);
  }

  /** From now on `listener` gets every request that is not about health. */
  forwardTo(listener: RequestListener): void {
    this.#application = listener;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    const path = request.url?.split('?', 1)[0];
    if (path === '/health/live') sendJson(response, 200, { status: 'live' });
    else if (path === '/health/ready') void this.#answerReady(response);
    else if (path === '/metrics') this.#answerMetrics(response);
    else if (this.#application) this.#application(request, response);
    else sendJson(response, 503, { status: 'starting' });
  }

  #answerMetrics(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': METRICS_CONTENT_TYPE });
    response.end(renderGauges(this.#gauges.flatMap((gauges) => [...gauges()])));
  }

  async #answerReady(response: ServerResponse): Promise<void> {
    const states = await Promise.all(
      [...this.#checks].map(async ([name, check]) => [name, await runCheck(check)] as const),
    );
    const ready = this.#application !== null && states.every(([, state]) => state.ready);
    sendJson(response, ready ? 200 : 503, {
      status: ready ? 'ready' : 'not ready',
      dependencies: Object.fromEntries(states),
    });
  }
}

async function runCheck(check: HealthCheck): Promise<DependencyState> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<DependencyState>((resolve) => {
    timer = setTimeout(() => resolve({ ready: false, detail: 'no answer' }), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([check(), timeout]);
  } catch (error) {
    return { ready: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}
