import { readFileSync, writeFileSync } from 'node:fs';
import { type System } from '../measurement.js';
import { type NamedProcess } from '../sluice-stack.js';

const KIBIBYTES_PER_MEBIBYTE = 1024;
/** https://www.kernel.org/doc/html/latest/filesystems/proc.html: sets the peak of the resident set to what it is now. */
const RESET_PEAK = '5';

/**
 * Adds the most memory that each process had resident while the system worked, as the kernel counts it: unlike samples
 * it misses no peak and costs nothing.
 */
export function withPeakMemory(system: System, processes: () => NamedProcess[]): System {
  return {
    ...system,
    run: async () => {
      const before = processes();
      before.forEach(({ pid }) => writeFileSync(`/proc/${pid}/clear_refs`, RESET_PEAK));
      const figures = await system.run();
      requireNoRestart(before, processes());
      const peaks = before.map(({ name, pid }): [string, number] => [`RSS ${name} MiB`, peakMebibytes(pid)]);
      return {
        ...figures,
        'RSS largest MiB': Math.max(...peaks.map(([, peak]) => peak)),
        ...Object.fromEntries(peaks),
      };
    },
  };
}

/** A process that came back has a peak of its own; that of the one before is lost. */
function requireNoRestart(before: readonly NamedProcess[], after: readonly NamedProcess[]): void {
  const pids = new Set(after.map(({ pid }) => pid));
  const ended = before.filter(({ pid }) => !pids.has(pid)).map(({ name }) => name);
  if (ended.length > 0) throw new Error(`ended during the run: ${ended.join(', ')}`);
}

function peakMebibytes(pid: number): number {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(peak) / KIBIBYTES_PER_MEBIBYTE;
}
