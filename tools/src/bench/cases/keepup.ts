import { delay, isAbort } from '@sluice/kernel';
import { type BenchCase, type BenchContext } from '../bench-case.js';
import { checkpointBoth, openClient } from '../bench-servers.js';
import { createLiveBase, DATABASE, INSERT_MARKER, restoreSource, untilVisible } from '../live/live-base.js';
import { findProduction, type Production } from '../live/pgbench.js';
import { type LiveReplica, nativeReplica, sluiceReplica } from '../live/replicas.js';
import { type Figures, type System } from '../measurement.js';

const SECONDS = 60;
const SECONDS_MIN = 3;
/** Often enough to know the backlog to a tenth of a second; next to nothing for the source. */
const MARKER_INTERVAL_MS = 50;
const BYTES_PER_MEGABYTE = 1e6;

/** The source is written to as fast as it can be while the target follows. */
export const keepup: BenchCase = {
  systems: async (context) => {
    const production = findProduction();
    context.report(`production: ${production.description}`);
    await createLiveBase(context);
    return [
      followed(context, sluiceReplica(context), production),
      followed(context, nativeReplica(context), production),
      unfollowed(context, production),
    ];
  },
};

function followed(context: BenchContext, replica: LiveReplica, production: Production): System {
  return {
    name: replica.name,
    isTimed: false,
    prepare: replica.prepare,
    run: async () => {
      const { rate, lastMarker } = await produce(context, production);
      const backlog = await measureBacklog(context, replica.database);
      const endedAtMs = performance.now();
      await insertMarker(context, lastMarker + 1);
      await untilVisible(context, replica.database, lastMarker + 1);
      return { 'production tps': rate, ...backlog, 'until empty s': (performance.now() - endedAtMs) / 1000 };
    },
    verify: replica.verify,
  };
}

/** What the source can do when nobody reads its WAL. */
function unfollowed(context: BenchContext, production: Production): System {
  return {
    name: 'no replication',
    isTimed: false,
    prepare: async () => {
      await restoreSource(context);
      await checkpointBoth(context.servers);
    },
    run: async () => ({ 'production tps': (await produce(context, production)).rate }),
    verify: () => Promise.resolve(),
  };
}

async function produce(
  context: BenchContext,
  production: Production,
): Promise<{ readonly rate: number; readonly lastMarker: number }> {
  const stop = new AbortController();
  const marking = insertMarkers(context, stop.signal);
  // Its failure shows when it is waited for.
  marking.catch(() => undefined);
  const startedAtMs = performance.now();
  try {
    const seconds = Math.max(SECONDS_MIN, SECONDS * context.scale);
    const count = await production.run(context.servers.source, DATABASE, { seconds });
    return { rate: (count * 1000) / (performance.now() - startedAtMs), lastMarker: await ended(stop, marking) };
  } finally {
    await ended(stop, marking);
  }
}

async function ended(stop: AbortController, marking: Promise<number>): Promise<number> {
  stop.abort();
  return marking;
}

/** @returns the last one. */
async function insertMarkers({ servers }: BenchContext, signal: AbortSignal): Promise<number> {
  await using client = await openClient(servers.source, DATABASE);
  for (let marker = 1; ; marker += 1) {
    await client.query(INSERT_MARKER, [marker]);
    try {
      await delay(MARKER_INTERVAL_MS, signal);
    } catch (error) {
      if (isAbort(error)) return marker;
      throw error;
    }
  }
}

async function insertMarker({ servers }: BenchContext, marker: number): Promise<void> {
  await using client = await openClient(servers.source, DATABASE);
  await client.query(INSERT_MARKER, [marker]);
}

/** How old the newest marker is that the target shows, and how much WAL the source has written since. */
async function measureBacklog({ servers }: BenchContext, database: string): Promise<Figures> {
  await using source = await openClient(servers.source, DATABASE);
  await using target = await openClient(servers.target, database);
  const newest = await target.query<{ id: string }>('SELECT max(id) AS id FROM marker');
  const { rows } = await source.query<{ seconds: number; bytes: string }>(
    `SELECT extract(epoch FROM clock_timestamp() - at)::float8 AS seconds, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), lsn) AS bytes
     FROM marker WHERE id = $1`,
    [newest.rows[0]?.id],
  );
  const [row] = rows;
  if (!row) throw new Error(`${database} shows no marker that the source has`);
  return { 'backlog s': row.seconds, 'backlog MB': Number(row.bytes) / BYTES_PER_MEGABYTE };
}
