import { type TargetConnection } from './target-connection.js';

/** Long enough for transactions that follow each other, short enough for an idle task to hold one connection only. */
const KEEP_MS = 2_000;

/** Connections whose transaction is over, for the next one: opening one takes longer than a small transaction. */
export class SpareConnections implements AsyncDisposable {
  readonly #spare = new Map<TargetConnection, NodeJS.Timeout>();
  #isClosed = false;

  /** What it knew of tables is forgotten. */
  take(): TargetConnection | null {
    const [connection] = this.#spare.keys();
    if (!connection) return null;
    clearTimeout(this.#spare.get(connection));
    this.#spare.delete(connection);
    connection.relations.unbind();
    return connection;
  }

  /** @param connection has nothing open. */
  async give(connection: TargetConnection): Promise<void> {
    if (this.#isClosed) {
      await connection.close();
      return;
    }
    this.#spare.set(
      connection,
      setTimeout(() => {
        this.#spare.delete(connection);
        void connection.close();
      }, KEEP_MS),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const connections = [...this.#spare.keys()];
    this.#spare.forEach((timer) => clearTimeout(timer));
    this.#spare.clear();
    await Promise.all(connections.map((connection) => connection.close()));
  }
}
