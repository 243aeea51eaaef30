import { type PostgresServer } from '@sluice/embedded';
import { faultProxy } from '@sluice/testing';
import { createSource, writeBacklog } from '../backlog/backlog.js';
import { nativeSystem } from '../backlog/native-system.js';
import { attachSluice, plainTemplate, sluiceSystem } from '../backlog/sluice-system.js';
import { type BenchCase, type BenchContext } from '../bench-case.js';
import { type System, type SystemResult } from '../measurement.js';
import { createFullSource } from './full.js';
import { loadNative, loadSluice } from './load-systems.js';
import { tpcB } from './oltp.js';

const ROUND_TRIPS_MS = [0, 20];

interface Address {
  readonly host: string;
  readonly port: number;
}

/** The way to both servers from the other side. */
interface Route {
  readonly name: string;
  readonly source: Address;
  readonly target: Address;
}

/**
 * The services stand beside the source, and the target is far away: with them the way to the target is long, with
 * native replication the way from its subscriber, which is the target, to the source. Both ways lead through a proxy, also
 * where it delays nothing, so that only the distance differs.
 */
export const distance: BenchCase = {
  systems: async (context) => {
    const routes = await openRoutes(context);
    return [...(await backlogOver(context, routes)), ...(await fullOver(context, routes))];
  },
  summarize: (results) =>
    ['oltp sluice', 'oltp native', 'full sluice', 'full native'].map((name) => {
      const [near, far] = ROUND_TRIPS_MS.map((ms) => medianSeconds(results, `${name} ${ms} ms`));
      const kept = near && far ? (near / far).toFixed(2) : '—';
      return `${name} with 20 ms: ${kept} of its speed with 0 ms`;
    }),
};

function medianSeconds(results: readonly SystemResult[], name: string): number | null {
  return results.find((result) => result.name === name)?.medianSeconds ?? null;
}

async function openRoutes({ servers, resources }: BenchContext): Promise<Route[]> {
  const open = async ({ host, port }: PostgresServer, roundTripMs: number): Promise<Address> => {
    const proxy = resources.use(await faultProxy({ target: { host, port } }));
    proxy.delay(roundTripMs / 2);
    // The proxy's port is a getter, which is lost where an endpoint is made of it by spreading.
    return { host: proxy.host, port: proxy.port };
  };
  return Promise.all(
    ROUND_TRIPS_MS.map(async (ms) => ({
      name: `${ms} ms`,
      source: await open(servers.source, ms),
      target: await open(servers.target, ms),
    })),
  );
}

async function backlogOver(context: BenchContext, routes: readonly Route[]): Promise<System[]> {
  const { servers, report } = context;
  const workload = tpcB(context.scale);
  report('making the base');
  await createSource(servers.source, workload);
  const replicas = [];
  for (const [index, route] of routes.entries()) {
    const place = { name: `oltp sluice ${route.name}`, database: `bench_sluice_${index}`, targetAt: route.target };
    replicas.push({ route, replica: await attachSluice(context, place) });
  }
  const [first] = replicas;
  if (!first) return [];
  const template = await plainTemplate(context, first.replica);
  report(`making the backlog: ${workload.description}`);
  await writeBacklog(servers.source, workload);
  return replicas.flatMap(({ route, replica }) => [
    sluiceSystem(context, replica),
    nativeSystem(context, {
      name: `oltp native ${route.name}`,
      template,
      savedSlot: first.replica.savedSlot,
      sourceAt: route.source,
    }),
  ]);
}

async function fullOver(context: BenchContext, routes: readonly Route[]): Promise<System[]> {
  await createFullSource(context);
  return routes.flatMap((route) => [
    loadSluice(context, { name: `full sluice ${route.name}`, targetAt: route.target }),
    loadNative(context, { name: `full native ${route.name}`, sourceAt: route.source, targetAt: route.target }),
  ]);
}
