import { readRows, sql } from '@sluice/postgres-catalog';
import { type Client } from '@sluice/postgres-client';

interface ServerRow {
  version: string;
  recovery: boolean;
  tls: string | null;
  cipher: string | null;
  user: string;
  attributes: string[];
}

/** Odd, so that there is a middle one. */
const ROUND_TRIPS = 5;

/** What a person wants to know of a server before a task is built on it. Tested on PostgreSQL 10–18. */
export async function probeServer(client: Client): Promise<Record<string, string>> {
  const [server] = await readRows<ServerRow>(
    client,
    sql`
      SELECT pg_catalog.current_setting('server_version') AS version,
        pg_catalog.pg_is_in_recovery() AS recovery,
        s.version AS tls, s.cipher,
        r.rolname::text AS user,
        ARRAY(
          SELECT a.name
          FROM (VALUES ('SUPERUSER', r.rolsuper), ('REPLICATION', r.rolreplication), ('CREATEDB', r.rolcreatedb),
            ('CREATEROLE', r.rolcreaterole), ('BYPASSRLS', r.rolbypassrls)) a(name, has)
          WHERE a.has) AS attributes
      FROM pg_catalog.pg_roles r
      LEFT JOIN pg_catalog.pg_stat_ssl s ON s.pid = pg_catalog.pg_backend_pid() AND s.ssl
      WHERE r.rolname = current_user`,
  );
  const { roundTripMs, clockSkewMs } = await measureTimes(client);
  return {
    serverVersion: server?.version ?? 'unknown',
    tls: server?.tls ? `${server.tls} ${server.cipher ?? ''}`.trim() : 'none: the connection is not encrypted',
    inRecovery: server?.recovery ? 'yes' : 'no',
    role: `${server?.user}: ${server?.attributes.join(', ') || 'no attributes'}`,
    roundTripMs: roundTripMs.toFixed(2),
    clockSkewMs: clockSkewMs.toFixed(0),
  };
}

export interface ClockSample {
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
  readonly serverMs: number;
}

async function measureTimes(client: Client): Promise<{ roundTripMs: number; clockSkewMs: number }> {
  const samples: ClockSample[] = [];
  for (let trip = 0; trip < ROUND_TRIPS; trip += 1) {
    const askedAtMs = performance.now();
    const [row] = await readRows<{ ms: number }>(
      client,
      sql`SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::float8 AS ms`,
    );
    samples.push({ askedAtMs, answeredAtMs: performance.now(), serverMs: row?.ms ?? 0 });
  }
  return { roundTripMs: medianRoundTripMs(samples), clockSkewMs: clockSkewMs(samples, performance.timeOrigin) };
}

export function medianRoundTripMs(samples: readonly ClockSample[]): number {
  const sorted = samples.map(({ askedAtMs, answeredAtMs }) => answeredAtMs - askedAtMs).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Positive when the server's clock is ahead of ours. The fastest answer tells best: the error is at most half its round trip. */
export function clockSkewMs(samples: readonly ClockSample[], timeOriginMs: number): number {
  const [best] = samples.toSorted((a, b) => a.answeredAtMs - a.askedAtMs - (b.answeredAtMs - b.askedAtMs));
  return best ? best.serverMs - (timeOriginMs + (best.askedAtMs + best.answeredAtMs) / 2) : 0;
}
