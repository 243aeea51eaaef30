import { delay } from '@sluice/kernel';
import { type BenchContext } from '../bench-case.js';
import { execute, openClient } from '../bench-servers.js';
import { DATABASE, INSERT_MARKER } from './live-base.js';

const CHANNEL = 'marker';
const LAST_MARKER_DEADLINE_MS = 120_000;

/**
 * Makes the target tell when a marker became visible. A notification is sent by the commit itself and only then, so that
 * nothing has to poll; it costs every replication the same. The trigger fires for sessions of replication, too.
 */
export async function announceMarkers({ servers }: BenchContext, database: string): Promise<void> {
  await execute(
    servers.target,
    database,
    `CREATE FUNCTION announce_marker() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN PERFORM pg_catalog.pg_notify('${CHANNEL}', NEW.id::pg_catalog.text); RETURN NULL; END $$`,
    'CREATE TRIGGER announce AFTER INSERT ON marker FOR EACH ROW EXECUTE FUNCTION announce_marker()',
    'ALTER TABLE marker ENABLE ALWAYS TRIGGER announce',
  );
}

export interface MarkerRun {
  /** The target's database. */
  readonly database: string;
  readonly firstMarker: number;
  readonly count: number;
  readonly intervalMs: number;
}

/** Writes markers at a steady pace. @returns milliseconds from the source's commit to visibility on the target, of each. */
export async function measureMarkerDelays({ servers }: BenchContext, run: MarkerRun): Promise<number[]> {
  const { database, firstMarker, count, intervalMs } = run;
  await using target = await openClient(servers.target, database);
  await using source = await openClient(servers.source, DATABASE);
  const clock = wallClock();
  const visibleAtMs = new Map<number, number>();
  const last = Promise.withResolvers<void>();
  target.on('notification', ({ payload }) => {
    visibleAtMs.set(Number(payload), clock());
    if (visibleAtMs.size === count) last.resolve();
  });
  await target.query(`LISTEN ${CHANNEL}`);
  const startedAtMs = performance.now();
  for (let index = 0; index < count; index += 1) {
    const waitMs = startedAtMs + index * intervalMs - performance.now();
    if (waitMs > 0) await delay(waitMs);
    await source.query(INSERT_MARKER, [firstMarker + index]);
  }
  const deadline = setTimeout(
    () => last.reject(new Error(`${count - visibleAtMs.size} of ${count} markers did not arrive`)),
    LAST_MARKER_DEADLINE_MS,
  );
  await last.promise.finally(() => clearTimeout(deadline));
  // The moment that the commit record names, which is before the commit is durable: the stricter reading of "commit".
  const { rows } = await source.query<{ id: string; committed_at_ms: number }>(
    `SELECT id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 * 1000 AS committed_at_ms
     FROM marker WHERE id >= $1 AND id < $2`,
    [firstMarker, firstMarker + count],
  );
  return rows.map(({ id, committed_at_ms }) => (visibleAtMs.get(Number(id)) ?? Number.NaN) - committed_at_ms);
}

/** The clock of this machine, which the servers share, finer than a millisecond. */
function wallClock(): () => number {
  const tick = Date.now();
  let now = tick;
  // The beginning of a millisecond is known exactly when it comes.
  while (now === tick) now = Date.now();
  const offsetMs = now - performance.now();
  return () => offsetMs + performance.now();
}
