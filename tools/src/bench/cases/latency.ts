import { type BenchCase, type BenchContext } from '../bench-case.js';
import { openClient } from '../bench-servers.js';
import { createLiveBase, DATABASE, INSERT_MARKER, untilVisible } from '../live/live-base.js';
import { announceMarkers, measureMarkerDelays } from '../live/marker-delays.js';
import { findProduction, type Production } from '../live/pgbench.js';
import { type LiveReplica, nativeReplica, sluiceReplica } from '../live/replicas.js';
import { type Figures, percentileOf, type System } from '../measurement.js';

const LOADS_PERCENT = [10, 50, 90];
const PERCENTILES = [50, 90, 99];
const MARKER_INTERVAL_MS = 20;
const SECONDS = 30;
const CALIBRATION_SECONDS = 15;
const SECONDS_MIN = 2;
/** Behind all markers of the measurement. */
const CALIBRATION_MARKER = 1_000_000;

/** Markers among a steady load. Both systems get the same load, a share of what the slower one can sustain. */
export const latency: BenchCase = {
  settings: { track_commit_timestamp: 'on' },
  systems: async (context) => {
    const production = findProduction();
    context.report(`production: ${production.description}`);
    await createLiveBase(context);
    const replicas = [sluiceReplica(context), nativeReplica(context)];
    const rates: number[] = [];
    for (const replica of replicas) {
      const rate = await sustainableRate(context, replica, production);
      context.report(`${replica.name} sustains ${rate.toFixed(0)} transactions per second`);
      rates.push(rate);
    }
    const rate = Math.min(...rates);
    return replicas.map((replica) => underLoad(context, replica, { production, rate }));
  },
};

/** Transactions per second from the first one's begin until the target shows the last one. */
async function sustainableRate(context: BenchContext, replica: LiveReplica, production: Production): Promise<number> {
  await replica.prepare();
  const { source } = context.servers;
  const startedAtMs = performance.now();
  const count = await production.run(source, DATABASE, { seconds: secondsOf(CALIBRATION_SECONDS, context) });
  await using client = await openClient(source, DATABASE);
  await client.query(INSERT_MARKER, [CALIBRATION_MARKER]);
  await untilVisible(context, replica.database, CALIBRATION_MARKER);
  const seconds = (performance.now() - startedAtMs) / 1000;
  await replica.verify();
  return count / seconds;
}

function underLoad(
  context: BenchContext,
  replica: LiveReplica,
  { production, rate }: { readonly production: Production; readonly rate: number },
): System {
  const seconds = secondsOf(SECONDS, context);
  const count = Math.floor((seconds * 1000) / MARKER_INTERVAL_MS);
  const { database } = replica;
  return {
    name: replica.name,
    isTimed: false,
    prepare: async () => {
      await replica.prepare();
      await announceMarkers(context, database);
    },
    run: async () => {
      const figures: Record<string, number> = {};
      for (const [index, percent] of LOADS_PERCENT.entries()) {
        const load = production.run(context.servers.source, DATABASE, { seconds, rate: (rate * percent) / 100 });
        const firstMarker = 1 + index * count;
        const delays = measureMarkerDelays(context, { database, firstMarker, count, intervalMs: MARKER_INTERVAL_MS });
        const [delaysMs] = await Promise.all([delays, load]);
        Object.assign(figures, figuresOf(delaysMs, percent));
      }
      return figures;
    },
    verify: replica.verify,
  };
}

function figuresOf(delaysMs: readonly number[], percent: number): Figures {
  const at = `at ${percent} %, ms`;
  return Object.fromEntries([
    ...PERCENTILES.map((percentile) => [`p${percentile} ${at}`, percentileOf(delaysMs, percentile / 100)] as const),
    [`max ${at}`, Math.max(...delaysMs)],
  ]);
}

function secondsOf(seconds: number, { scale }: BenchContext): number {
  return Math.max(SECONDS_MIN, seconds * scale);
}
