/** One system that does the case's work. */
export interface System {
  readonly name: string;
  /** Restores the base; not timed. */
  prepare(): Promise<void>;
  /** Does the work. Timed. */
  run(): Promise<void>;
  /** Proves that the result is right; throws when it is not. Not timed. */
  verify(): Promise<void>;
}

export interface SystemResult {
  readonly name: string;
  /** Seconds, in the order of the runs. */
  readonly runs: readonly number[];
  readonly medianSeconds: number | null;
  /** Why it has no time: not installed, or not equal. */
  readonly missing?: string;
}

/**
 * Runs the systems in turn, A B C A B C …, so that a machine whose speed drifts is no advantage for any.
 * A system that fails has no time and does not take part in the later rounds.
 */
export async function measureInTurn(
  systems: readonly System[],
  options: { readonly runCount: number; readonly report: (line: string) => void },
): Promise<SystemResult[]> {
  const seconds = new Map(systems.map((system) => [system, [] as number[]]));
  const failures = new Map<System, string>();
  for (let round = 1; round <= options.runCount; round += 1) {
    for (const system of systems) {
      if (failures.has(system)) continue;
      try {
        const elapsed = await timeOnce(system);
        seconds.get(system)?.push(elapsed);
        options.report(`run ${round}: ${system.name} ${elapsed.toFixed(2)} s, equal`);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        failures.set(system, why);
        options.report(`run ${round}: ${system.name} failed: ${why}`);
      }
    }
  }
  return systems.map((system) => {
    const runs = seconds.get(system) ?? [];
    const missing = failures.get(system);
    if (missing !== undefined) return { name: system.name, runs: [], medianSeconds: null, missing };
    return { name: system.name, runs, medianSeconds: medianOf(runs) };
  });
}

async function timeOnce(system: System): Promise<number> {
  await system.prepare();
  const startedAt = performance.now();
  await system.run();
  const elapsed = (performance.now() - startedAt) / 1000;
  await system.verify();
  return elapsed;
}

/** The middle value, or the mean of the two middle ones; `null` for none. */
export function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2;
}
