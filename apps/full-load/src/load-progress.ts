import { type BuildProgress, type CopyProgress, type LiveCopy } from '@sluice/postgres-snapshot';
import { type LoadProgress } from './load-context.js';

const NOTHING: Omit<LoadProgress, 'phase'> = {
  kind: 'full-load',
  tablesTotal: 0,
  tablesDone: 0,
  chunksTotal: 0,
  chunksDone: 0,
  rowsDone: 0,
  bytesDone: 0,
  bytesTotal: 0,
  stepsTotal: 0,
  stepsDone: 0,
  bytesPerSecond: 0,
  secondsLeft: null,
  currentTables: [],
};

export function phaseProgress(phase: LoadProgress['phase']): LoadProgress {
  return { ...NOTHING, phase };
}

/** When all rows are there. */
export function buildProgress(
  copied: CopyProgress,
  { stepsTotal, stepsDone }: BuildProgress,
  phase: 'indexes' | 'finishing' | 'done' = 'indexes',
): LoadProgress {
  return { ...copyFacts(copied, 0), phase, stepsTotal, stepsDone };
}

/** The window over which the rate is taken: long enough to be calm, short enough to follow. */
const RATE_WINDOW_MS = 10_000;

/** Rate and time left of the data phase, from what is done at several moments. */
export class CopyRate {
  readonly #samples: { readonly atMs: number; readonly bytes: number }[] = [];

  progress(copied: CopyProgress, live: LiveCopy, atMs: number): LoadProgress {
    const facts = copyFacts(copied, live.bytes);
    this.#samples.push({ atMs, bytes: facts.bytesDone });
    while (this.#samples.length > 2 && atMs - (this.#samples[0]?.atMs ?? atMs) > RATE_WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0] ?? { atMs, bytes: facts.bytesDone };
    const seconds = (atMs - first.atMs) / 1000;
    const bytesPerSecond = seconds > 0 ? Math.max(0, (facts.bytesDone - first.bytes) / seconds) : 0;
    const secondsLeft = bytesPerSecond > 0 ? Math.ceil((facts.bytesTotal - facts.bytesDone) / bytesPerSecond) : null;
    return { ...facts, phase: 'data', bytesPerSecond, secondsLeft, currentTables: [...live.tables] };
  }
}

function copyFacts(copied: CopyProgress, liveBytes: number): Omit<LoadProgress, 'phase'> {
  const bytesDone = copied.bytes + liveBytes;
  return {
    ...NOTHING,
    tablesTotal: copied.tablesTotal,
    tablesDone: copied.tablesDone,
    chunksTotal: copied.chunksTotal,
    chunksDone: copied.chunksDone,
    rowsDone: copied.rows,
    bytesDone,
    // The size on the source's disk is all that is known before; the copy itself can be larger.
    bytesTotal: Math.max(bytesDone, copied.estimatedBytesTotal),
  };
}
