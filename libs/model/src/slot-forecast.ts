/** What a slot kept of WAL at a moment. */
export interface RetentionSample {
  readonly atMs: number;
  readonly retainedBytes: number;
}

/** Long enough to even out that a slot moves in jumps, every quarter of a minute or so. */
const WINDOW_MS = 60_000;

/** The samples that count, the newest last. */
export function addRetentionSample(
  samples: readonly RetentionSample[],
  sample: RetentionSample,
): readonly RetentionSample[] {
  // One that is older than the window stays, so that there is always a pair that spans it.
  const outsideCount = samples.filter(({ atMs }) => sample.atMs - atMs > WINDOW_MS).length;
  return [...samples.slice(Math.max(0, outsideCount - 1)), sample];
}

/** Seconds until the slot is lost if retained WAL goes on growing as it did; null when there is no bound or no growth. */
export function secondsUntilSlotLost(samples: readonly RetentionSample[], safeBytes: number | null): number | null {
  const [first] = samples;
  const last = samples.at(-1);
  if (safeBytes === null || !first || !last || last.atMs <= first.atMs) return null;
  const bytesPerSecond = ((last.retainedBytes - first.retainedBytes) * 1000) / (last.atMs - first.atMs);
  if (safeBytes <= 0) return 0;
  return bytesPerSecond > 0 ? Math.round(safeBytes / bytesPerSecond) : null;
}
