import { readRows, sql } from '@sluice/postgres-catalog';
import { type Client, quoteLiteral } from '@sluice/postgres-client';
import { type Check, failed, type Finding, FOLLOWING, listSome, passed, statements, warning } from '../check.js';

export interface LongTransactionLimits {
  readonly warningAfterSeconds: number;
  readonly failedAfterSeconds: number;
}

interface OpenTransaction {
  readonly name: string;
  readonly seconds: number;
  readonly pid: number | null;
  readonly gid: string | null;
}

/** One minute is a normal report or batch; after ten nobody expects that it ends by itself while the task waits. */
export const sourceLongTransactions = longTransactionsCheck({ warningAfterSeconds: 60, failedAfterSeconds: 600 });

/** A slot is ready once every transaction that was writing when it was begun has ended, in any database of the server. */
export function longTransactionsCheck(limits: LongTransactionLimits): Check {
  return {
    id: 'source-long-transactions',
    title: 'No old transaction on the source holds up the creation of the slot',
    onlyFor: FOLLOWING,
    run: async ({ source }) => judge(await readOpenTransactions(source), limits),
  };
}

function judge(open: readonly OpenTransaction[], limits: LongTransactionLimits): Finding {
  const old = open.filter(({ seconds }) => seconds >= limits.warningAfterSeconds);
  const [oldest] = old;
  if (oldest === undefined) return passed(`no writing transaction is older than ${limits.warningAfterSeconds} s`);
  const problem = {
    evidence: listSome(old.map(({ name, seconds }) => `${name}, open for ${Math.round(seconds)} s`)),
    reason: 'The replication slot can only be created once these have ended.',
    fix: statements(old.map(endStatement)),
  };
  return oldest.seconds >= limits.failedAfterSeconds ? failed(problem) : warning(problem);
}

function endStatement({ pid, gid }: OpenTransaction): string {
  return gid === null ? `SELECT pg_terminate_backend(${pid});` : `ROLLBACK PREPARED ${quoteLiteral(gid)};`;
}

/** Oldest first. Without pg_read_all_stats the sessions of other roles show no transaction and are missed. Tested on PostgreSQL 10–18. */
async function readOpenTransactions(source: Client): Promise<OpenTransaction[]> {
  return readRows<OpenTransaction>(
    source,
    sql`
      SELECT format('session %s of %s on %s (%s)', a.pid, a.usename, a.datname, coalesce(nullif(a.application_name, ''), a.state))
          AS name,
        extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS seconds, a.pid, NULL::text AS gid
      FROM pg_catalog.pg_stat_activity a
      WHERE a.backend_xid IS NOT NULL AND a.xact_start IS NOT NULL AND a.pid <> pg_backend_pid()
      UNION ALL
      SELECT format('prepared transaction %s of %s on %s', p.gid, p.owner, p.database),
        extract(epoch FROM clock_timestamp() - p.prepared)::float8, NULL, p.gid
      FROM pg_catalog.pg_prepared_xacts p
      ORDER BY seconds DESC`,
  );
}
