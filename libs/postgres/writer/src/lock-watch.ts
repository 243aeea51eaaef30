import { type Client, connect, type Endpoint } from '@sluice/postgres-client';

/** A server that works answers such a question in that time. */
const QUERY_TIMEOUT_MS = 10_000;

/** Looks, from a session of its own, whether sessions of a task wait for locks. */
export class LockWatch implements AsyncDisposable {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async open(endpoint: Endpoint, taskId: string): Promise<LockWatch> {
    const applicationName = `apply watch ${taskId}`;
    return new LockWatch(await connect(endpoint, { applicationName, queryTimeoutMs: QUERY_TIMEOUT_MS }));
  }

  /** One of them waits until somebody else's transaction ends. Tables that grow are waited for only shortly. */
  async isWaiting(backendPids: readonly number[]): Promise<boolean> {
    const { rowCount } = await this.#client.query(
      `SELECT FROM pg_catalog.pg_locks WHERE pid = ANY ($1::int[]) AND NOT granted AND locktype <> 'extend' LIMIT 1`,
      [backendPids],
    );
    return (rowCount ?? 0) > 0;
  }

  /** A session that waits does not see that its client is gone. */
  async endSessions(backendPids: readonly number[]): Promise<void> {
    await this.#client.query('SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.unnest($1::int[]) AS pid', [
      backendPids,
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}
