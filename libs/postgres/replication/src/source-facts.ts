import { SluiceError } from '@sluice/contracts';
import { readRows, sql } from '@sluice/postgres-catalog';
import { type Client } from '@sluice/postgres-client';
import { type Lsn, parseLsn } from '@sluice/model';

export interface SourceFacts {
  readonly walEndLsn: Lsn;
  /** Transactions below it have ended, and the records of their ends lie below `walInsertLsn`. With epoch, so that it only grows. */
  readonly oldestRunningXid: bigint;
  /** Transactions at or above it have not begun. */
  readonly nextXid: bigint;
  readonly walInsertLsn: Lsn;
  /**
   * How far the server's clock is ahead of ours, milliseconds; exact to half of a round trip. Ours is the clock of
   * `performance`, which no one sets while the process runs.
   */
  readonly clockOffsetMs: number;
  readonly systemId: string;
  readonly timeline: number;
}

interface FactsRow {
  readonly micros: string;
  readonly walEnd: string | null;
  readonly walInsert: string | null;
  readonly oldestRunning: string;
  readonly next: string;
  readonly systemId: string;
  readonly timeline: number | null;
}

/** What a server is and where it stands. PostgreSQL 10–18. @throws SluiceError 1011 when it is a standby. */
export async function readSourceFacts(client: Client): Promise<SourceFacts> {
  const { clockOffsetMs, row } = await timed(() =>
    // The file's name begins with the timeline; what pg_control_checkpoint() says is older after a promotion.
    readRows<FactsRow>(
      client,
      sql`SELECT ${CLOCK_MICROS} AS micros, system_identifier::text AS "systemId",
                 CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_current_wal_lsn()::text END AS "walEnd",
                 pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot())::text AS "oldestRunning",
                 pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())::text AS next,
                 CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_current_wal_insert_lsn()::text END AS "walInsert",
                 CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN
                   ('x' || left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8))::bit(32)::int
                 END AS timeline
          FROM pg_catalog.pg_control_system()`,
    ),
  );
  if (row.walEnd === null || row.walInsert === null || row.timeline === null)
    throw new SluiceError('SLUICE-1011', { detail: 'the source is a standby that has not been promoted' });
  return {
    walEndLsn: parseLsn(row.walEnd),
    walInsertLsn: parseLsn(row.walInsert),
    oldestRunningXid: BigInt(row.oldestRunning),
    nextXid: BigInt(row.next),
    clockOffsetMs,
    systemId: row.systemId,
    timeline: row.timeline,
  };
}

const CLOCK_MICROS = sql`(extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint::text`;

/** The clock is compared with ours as it was in the middle between question and answer. */
async function timed<Row extends { readonly micros: string }>(
  ask: () => Promise<Row[]>,
): Promise<{ clockOffsetMs: number; row: Row }> {
  const askedAt = performance.now();
  const rows = await ask();
  const answeredAt = performance.now();
  const nowMs = performance.timeOrigin + answeredAt;
  const [row] = rows;
  if (!row) throw new SluiceError('SLUICE-9001', { detail: 'the server did not tell its time' });
  return { clockOffsetMs: Number(row.micros) / 1000 - (nowMs - (answeredAt - askedAt) / 2), row };
}
