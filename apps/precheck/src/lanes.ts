import { SluiceError } from '@sluice/contracts';
import { type Client, connect, type ConnectOptions, type Endpoint } from '@sluice/postgres-client';

export interface Endpoints {
  readonly source: Endpoint;
  readonly target: Endpoint;
}

export interface Lane {
  readonly source: Client;
  readonly target: Client;
}

export interface LanesOptions {
  readonly count: number;
  /** For one piece of work. */
  readonly timeoutMs: number;
}

/** A lock that is held longer belongs to somebody who alters the structure right now. */
const LOCK_TIMEOUT = '5s';

/**
 * Pairs of sessions that work goes through, so that any number of checks runs with a bounded number of connections.
 *
 * Maintained invariant: a lane is used by one piece of work at a time, and never again once its work ran out of time.
 */
export class Lanes implements AsyncDisposable {
  readonly #endpoints: Endpoints;
  readonly #options: LanesOptions;
  readonly #idle: Lane[] = [];
  readonly #waiting: (() => void)[] = [];
  #freeCount: number;

  constructor(endpoints: Endpoints, options: LanesOptions) {
    this.#endpoints = endpoints;
    this.#options = options;
    this.#freeCount = options.count;
  }

  /** Runs `work` in read-only transactions on both sides. @throws SluiceError 1002 when it takes too long. */
  async use<T>(work: (lane: Lane) => Promise<T>, timeoutMs = this.#options.timeoutMs): Promise<T> {
    await this.#enter();
    try {
      const lane = this.#idle.pop() ?? (await this.#open());
      // A lane whose work failed in any way is not trusted again.
      const result = await this.#withinTimeout(inReadOnlyTransactions(lane, work), timeoutMs).catch(
        (error: unknown) => {
          void close(lane);
          throw error;
        },
      );
      this.#idle.push(lane);
      return result;
    } finally {
      this.#leave();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(close));
  }

  async #enter(): Promise<void> {
    if (this.#freeCount > 0) this.#freeCount -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#freeCount += 1;
  }

  async #open(): Promise<Lane> {
    const options = sessionOptions(this.#options.timeoutMs);
    const source = await connect(this.#endpoints.source, options);
    try {
      return { source, target: await connect(this.#endpoints.target, options) };
    } catch (error) {
      await source.end();
      throw error;
    }
  }

  async #withinTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
    const { promise: expired, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new SluiceError('SLUICE-1002', { detail: `no answer within ${timeoutMs} ms` })),
      timeoutMs,
    );
    work.catch(() => undefined);
    try {
      return await Promise.race([work, expired]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What sessions of checks have in common. */
export function sessionOptions(statementTimeoutMs?: number): ConnectOptions {
  return {
    applicationName: 'precheck',
    settings: {
      search_path: '',
      lock_timeout: LOCK_TIMEOUT,
      ...(statementTimeoutMs !== undefined && { statement_timeout: String(statementTimeoutMs) }),
    },
  };
}

/** Read-only, so that no check can change a server by mistake; one snapshot, as reading a structure asks for. */
async function inReadOnlyTransactions<T>(lane: Lane, work: (lane: Lane) => Promise<T>): Promise<T> {
  const sessions = [lane.source, lane.target];
  await Promise.all(sessions.map((session) => session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')));
  const result = await work(lane);
  await Promise.all(sessions.map((session) => session.query('ROLLBACK')));
  return result;
}

async function close(lane: Lane): Promise<void> {
  await Promise.allSettled([lane.source.end(), lane.target.end()]);
}
