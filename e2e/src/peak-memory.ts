import { readFile } from 'node:fs/promises';
import { platform } from 'node:process';

/** The most memory that a process ever had; 0 where the system does not tell. */
export async function peakMemoryBytes(pid: number | undefined): Promise<number> {
  if (platform !== 'linux' || pid === undefined) return 0;
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
