/** Names the folder in the environment of a profiled process. */
export const PROFILE_DIRECTORY_VARIABLE = 'BENCH_PROFILE_DIRECTORY';
export const PROFILE_SIGNAL = 'SIGUSR2';

export interface ProfiledThread {
  readonly pid: number;
  /** 0 is the main thread. */
  readonly threadId: number;
}

/** Exists from the moment on that the thread is profiled. */
export function startedFile({ pid, threadId }: ProfiledThread): string {
  return `${pid}-${threadId}.started`;
}

export function profileFile({ pid, threadId }: ProfiledThread): string {
  return `${pid}-${threadId}.cpuprofile`;
}

/** `null` for a file that does not say that a thread is profiled. */
export function parseStartedFile(name: string): ProfiledThread | null {
  const [, pid, threadId] = /^(\d+)-(\d+)\.started$/.exec(name) ?? [];
  return pid === undefined || threadId === undefined ? null : { pid: Number(pid), threadId: Number(threadId) };
}
