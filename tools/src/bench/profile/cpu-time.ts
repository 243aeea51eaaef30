import { readdirSync, readFileSync } from 'node:fs';

/** Ticks per second in /proc; the same on all Linux platforms that Node runs on. */
const TICKS_PER_SECOND = 100;

/** CPU seconds, user and system together. */
export interface ProcessTimes {
  readonly own: number;
  /** Of children that have ended and were waited for. */
  readonly endedChildren: number;
}

/** `null` when there is no such process. */
export function readProcessTimes(pid: number): ProcessTimes | null {
  const stat = readFileOrNull(`/proc/${pid}/stat`);
  return stat === null ? null : parseStat(stat);
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export function parseStat(stat: string): ProcessTimes {
  // The name in parentheses may hold spaces and parentheses; behind it comes field 3.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const seconds = (first: number): number => ((fields[first - 3] ?? 0) + (fields[first - 2] ?? 0)) / TICKS_PER_SECOND;
  return { own: seconds(14), endedChildren: seconds(16) };
}

/** The CPU times of a server's processes at one moment. */
export interface ServerTimes {
  readonly endedChildren: number;
  readonly byPid: ReadonlyMap<number, { readonly kind: string; readonly seconds: number }>;
}

/** @param postmasterPid the parent of all of a PostgreSQL server's processes. */
export function readServerTimes(postmasterPid: number): ServerTimes {
  const pids = [postmasterPid, ...childrenOf(postmasterPid)];
  const byPid = new Map(
    pids.flatMap((pid) => {
      const seconds = readProcessTimes(pid)?.own;
      const kind = pid === postmasterPid ? 'postmaster' : backendKind(readFileOrNull(`/proc/${pid}/cmdline`) ?? '');
      return seconds === undefined ? [] : [[pid, { kind, seconds }] as const];
    }),
  );
  return { endedChildren: readProcessTimes(postmasterPid)?.endedChildren ?? 0, byPid };
}

const AUXILIARY =
  /checkpointer|background writer|walwriter|walsender|autovacuum|logical replication (?:launcher|worker|apply worker|tablesync worker)|pglogical \w+/;

/** What kind of process a title such as `postgres: walsender postgres bench 127.0.0.1(40000) START_REPLICATION` names. */
export function backendKind(title: string): string {
  return AUXILIARY.exec(title)?.[0] ?? 'backends';
}

/** What each kind of process used between two moments, sorted by it. Sessions that ended in between are one kind. */
export function serverUsage(before: ServerTimes, after: ServerTimes): [kind: string, seconds: number][] {
  const usage = new Map<string, number>();
  const add = (kind: string, seconds: number): void => void usage.set(kind, (usage.get(kind) ?? 0) + seconds);
  for (const [pid, { kind, seconds }] of after.byPid) add(kind, seconds - (before.byPid.get(pid)?.seconds ?? 0));
  const gone = [...before.byPid].filter(([pid]) => !after.byPid.has(pid));
  // The postmaster's count of ended children holds all of their time, also that from before.
  const countedBefore = gone.reduce((sum, [, { seconds }]) => sum + seconds, 0);
  add('ended sessions', Math.max(0, after.endedChildren - before.endedChildren - countedBefore));
  return [...usage].sort(([, left], [, right]) => right - left);
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(name) === pid)
    .map(Number);
}

function parentOf(pid: string): number | null {
  const stat = readFileOrNull(`/proc/${pid}/stat`);
  return stat === null ? null : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function readFileOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
