import { type BenchServers } from './bench-servers.js';

/** What a run measured besides its time, by name with unit: `p50 ms`. Every run of a system gives the same names. */
export type Figures = Readonly<Record<string, number>>;

/** One system that does the case's work. */
export interface System {
  readonly name: string;
  /** Restores the base; not timed. */
  prepare(): Promise<void>;
  /** Does the work. Timed, unless the system says that its time means nothing. */
  run(): Promise<Figures | void>;
  /** Proves that the result is right; throws when it is not. Not timed. */
  verify(): Promise<void>;
  /** The servers that it works on, where they are not those of all. */
  readonly servers?: BenchServers;
  /** False where the work takes a fixed time and only the figures count; default true. */
  readonly isTimed?: boolean;
}

export interface SystemResult {
  readonly name: string;
  /** Seconds, in the order of the runs; none where the time means nothing. */
  readonly runs: readonly number[];
  readonly medianSeconds: number | null;
  readonly figures: Readonly<Record<string, readonly number[]>>;
  /** Why it has no result: not installed, or not equal. */
  readonly missing?: string;
}

/** Looks at a system while it works. */
export interface RunObserver {
  begin(system: System): Promise<void>;
  /** Called after the timed part, also when it failed. */
  end(system: System): Promise<void>;
}

export interface MeasureOptions {
  readonly runCount: number;
  readonly report: (line: string) => void;
  readonly observer?: RunObserver;
  /** Ends the measurement; no result then. */
  readonly signal?: AbortSignal;
}

interface Run {
  readonly seconds: number;
  readonly figures: Figures;
}

/**
 * Runs the systems in turn, A B C A B C …, so that a machine whose speed drifts is no advantage for any.
 * A system that fails has no result and does not take part in the later rounds.
 */
export async function measureInTurn(systems: readonly System[], options: MeasureOptions): Promise<SystemResult[]> {
  const runs = new Map(systems.map((system) => [system, [] as Run[]]));
  const failures = new Map<System, string>();
  for (let round = 1; round <= options.runCount; round += 1) {
    for (const system of systems) {
      if (failures.has(system)) continue;
      options.signal?.throwIfAborted();
      try {
        const run = await measureOnce(system, options.observer);
        runs.get(system)?.push(run);
        options.report(`run ${round}: ${system.name} ${describeRun(system, run)}, equal`);
      } catch (error) {
        options.signal?.throwIfAborted();
        const why = error instanceof Error ? error.message : String(error);
        failures.set(system, why);
        options.report(`run ${round}: ${system.name} failed: ${why}`);
      }
    }
  }
  return systems.map((system) => resultOf(system, runs.get(system) ?? [], failures.get(system)));
}

async function measureOnce(system: System, observer: RunObserver | undefined): Promise<Run> {
  await system.prepare();
  await observer?.begin(system);
  let seconds: number;
  let figures: Figures;
  try {
    const startedAt = performance.now();
    figures = (await system.run()) ?? {};
    seconds = (performance.now() - startedAt) / 1000;
  } finally {
    await observer?.end(system);
  }
  await system.verify();
  return { seconds, figures };
}

function describeRun({ isTimed = true }: System, { seconds, figures }: Run): string {
  const shown = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(1)}`);
  return [...(isTimed ? [`${seconds.toFixed(2)} s`] : []), ...shown].join(', ') || 'done';
}

function resultOf({ name, isTimed = true }: System, runs: readonly Run[], missing: string | undefined): SystemResult {
  if (missing !== undefined) return { name, runs: [], medianSeconds: null, figures: {}, missing };
  const names = [...new Set(runs.flatMap(({ figures }) => Object.keys(figures)))];
  const figures = Object.fromEntries(names.map((figure) => [figure, runs.flatMap((run) => run.figures[figure] ?? [])]));
  const seconds = isTimed ? runs.map((run) => run.seconds) : [];
  return { name, runs: seconds, medianSeconds: medianOf(seconds), figures };
}

/** The middle value, or the mean of the two middle ones; `null` for none. */
export function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2;
}

/** The smallest value that at least `share` of all do not exceed. @param values not empty */
export function percentileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
