import { type PostgresServer } from '@sluice/embedded';
import { type Client, connect } from '@sluice/postgres-client';

/** pg_walinspect shows the records of WAL that is on disk. */
export const WALINSPECT_SINCE = 15;

/** The transactions whose commit a server has on its disk, from the first question on. */
export class FlushedCommits implements AsyncDisposable {
  readonly #server: PostgresServer;
  #client: Client | null = null;
  #readLsn = '';
  #xids = new Set<string>();
  /** Whoever got an id from here on commits behind the first record that is read. */
  #firstXid = 0;

  private constructor(server: PostgresServer) {
    this.#server = server;
  }

  static async of(server: PostgresServer): Promise<FlushedCommits> {
    await using client = await connect(server.endpoint('postgres'), { applicationName: 'ack audit' });
    await client.query('CREATE EXTENSION IF NOT EXISTS pg_walinspect');
    return new FlushedCommits(server);
  }

  /** @param xid of a transaction whose work can be seen. Nothing is said against those that began before the first question. */
  async has(xid: string): Promise<boolean> {
    try {
      this.#client ??= await this.#begin();
      await this.#read(this.#client);
    } catch (error) {
      // A server that was killed may have forgotten commits that were seen.
      this.#client = null;
      throw error;
    }
    return precedes(Number(xid), this.#firstXid) || this.#xids.has(xid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
    this.#client = null;
  }

  async #begin(): Promise<Client> {
    const client = await connect(this.#server.endpoint('postgres'), { applicationName: 'ack audit' });
    const flushed = await client.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn()::text AS lsn');
    // Order: behind the position. A commit can be on disk for a while before anybody sees it, so that only ids tell which
    // transactions have theirs behind it.
    const next = await client.query<{ xid: string }>('SELECT pg_current_xact_id()::xid::text AS xid');
    this.#readLsn = flushed.rows[0]?.lsn ?? '0/0';
    this.#firstXid = Number(next.rows[0]?.xid ?? 0);
    this.#xids = new Set();
    return client;
  }

  /** A record that is flushed in part comes complete next time: it is gone on from the end of the last complete one. */
  async #read(client: Client): Promise<void> {
    try {
      const { rows } = await client.query<{ xid: string; end: string; commits: boolean }>(RECORDS_SINCE, [
        this.#readLsn,
      ]);
      for (const { xid, commits } of rows) if (commits) this.#xids.add(xid);
      this.#readLsn = rows.at(-1)?.end ?? this.#readLsn;
    } catch (error) {
      if (!(error instanceof Error && NO_RECORD_YET.test(error.message))) throw error;
    }
  }
}

/** Ids count in a circle of 2^32. src/backend/access/transam/transam.c (TransactionIdPrecedes) */
function precedes(xid: number, other: number): boolean {
  return ((xid - other) | 0) < 0;
}

const RECORDS_SINCE = `
  SELECT xid::text, end_lsn::text AS end, resource_manager = 'Transaction' AND record_type LIKE 'COMMIT%' AS commits
    FROM pg_get_wal_records_info($1::pg_lsn, pg_current_wal_flush_lsn())
   WHERE pg_current_wal_flush_lsn() > $1::pg_lsn`;
/** Between two positions with no complete record the function fails (PostgreSQL 15–18). */
const NO_RECORD_YET = /could not find a valid record after/;
