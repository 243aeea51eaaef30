import { formatTable } from '../report.js';

/** Sums over all runs of a system. */
export interface SystemProfile {
  runCount: number;
  /** By process, or by side and kind of its processes. */
  readonly cpuSeconds: Map<string, number>;
  /** By thread: seconds by function. */
  readonly selfTimes: Map<string, Map<string, number>>;
}

const FUNCTIONS_SHOWN = 12;
/** Less is not worth a line. */
const SECONDS_MIN = 0.02;

/** Averages per run. */
export function formatProfile(profiles: ReadonlyMap<string, SystemProfile>, folder: string): string {
  const parts = [...profiles].flatMap(([system, profile]) => [
    formatCpuTimes(system, profile),
    ...[...profile.selfTimes].flatMap(([thread, seconds]) => formatSelfTimes(`${system}, ${thread}`, seconds, profile)),
  ]);
  return [...parts, `profiles: ${folder}`].join('\n\n');
}

function formatCpuTimes(system: string, { cpuSeconds, runCount }: SystemProfile): string {
  const total = [...cpuSeconds.values()].reduce((sum, seconds) => sum + seconds, 0);
  const rows = [...cpuSeconds]
    .map(([name, seconds]) => [name, seconds / runCount] as const)
    .filter(([, seconds]) => seconds >= SECONDS_MIN)
    .map(([name, seconds]) => [name, seconds.toFixed(2)]);
  return formatTable([[`${system}: CPU of`, 'seconds per run'], ...rows, ['all', (total / runCount).toFixed(2)]]);
}

function formatSelfTimes(
  title: string,
  seconds: ReadonlyMap<string, number>,
  { runCount }: Pick<SystemProfile, 'runCount'>,
): string[] {
  const total = [...seconds.values()].reduce((sum, each) => sum + each, 0);
  const rows = [...seconds]
    .sort(([, left], [, right]) => right - left)
    .slice(0, FUNCTIONS_SHOWN)
    .filter(([, each]) => each / runCount >= SECONDS_MIN)
    .map(([label, each]) => [label, (each / runCount).toFixed(2), `${((100 * each) / total).toFixed(0)} %`]);
  return rows.length === 0 ? [] : [formatTable([[`${title}: in itself`, 'seconds', 'share'], ...rows])];
}
