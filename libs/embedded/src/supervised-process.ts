import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';

/**
 * Ends a server when its parent is gone, even after kill -9: the standard input of this shell is a pipe whose other
 * end only the parent holds, so `read` returns at the parent's death. Then: a fast stop, after 5 s an immediate one,
 * after 1 s more the kill; last, the temporary folders ($2 …) are removed.
 */
const WATCHDOG = `
read -r _
server=$1
shift
ended() {
  kill -0 $server 2>/dev/null || return 0
  # An init that does not collect its children, common in containers, leaves the ended server as a zombie.
  case "$(cat /proc/$server/stat 2>/dev/null)" in *") Z "*) return 0 ;; esac
  return 1
}
gone() { i=0; while [ $i -lt "$1" ]; do ended && return 0; sleep 0.1; i=$((i+1)); done; return 1; }
kill -INT $server 2>/dev/null
gone 50 || { kill -QUIT $server 2>/dev/null; gone 10; } || kill -KILL $server 2>/dev/null
[ $# -eq 0 ] || rm -rf -- "$@"
`;

export interface SupervisedProcess {
  readonly pid: number;
  readonly watchdogPid: number;
}

export const NOT_RUNNING: SupervisedProcess = { pid: -1, watchdogPid: -1 };

export interface LaunchOptions {
  readonly logFile: string;
  readonly cwd: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly env: NodeJS.ProcessEnv;
  /** Folders that are removed when this process dies without stopping the server. */
  readonly temporaryFolders: readonly string[];
}

/**
 * Starts a server that does not outlive this process and does not keep it alive.
 * It is controlled by process id alone, so that code that did not start it can stop it too.
 */
export function launch(file: string, args: readonly string[], options: LaunchOptions): SupervisedProcess {
  const { logFile, temporaryFolders, ...spawnOptions } = options;
  const log = openSync(logFile, 'a');
  try {
    // A process group of its own keeps Ctrl-C of the terminal away from it: the parent decides when it stops.
    const server = spawn(file, args, { ...spawnOptions, detached: true, stdio: ['ignore', log, log] });
    // Without a listener a missing program would end this process; the caller sees that there is no process id.
    server.on('error', () => undefined);
    server.unref();
    if (server.pid === undefined) return NOT_RUNNING;
    const watchdogPid = startWatchdog(WATCHDOG, [String(server.pid), ...temporaryFolders]);
    return { pid: server.pid, watchdogPid };
  } finally {
    closeSync(log);
  }
}

/** Runs a command when this process dies, however it dies. Dismiss it when there is nothing left to do. */
export function runAtDeath(command: string, args: readonly string[]): SupervisedProcess {
  return { ...NOT_RUNNING, watchdogPid: startWatchdog('read -r _; exec "$@"', [command, ...args]) };
}

function startWatchdog(script: string, args: readonly string[]): number {
  const watchdog = spawn('/bin/sh', ['-c', script, 'sluice-watchdog', ...args], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.on('error', () => undefined);
  watchdog.stdin.on('error', () => undefined);
  watchdog.unref();
  // The pipe is a socket to Node, and keeps this process alive until it is told not to.
  if ('unref' in watchdog.stdin && typeof watchdog.stdin.unref === 'function') watchdog.stdin.unref();
  return watchdog.pid ?? -1;
}

/** The watchdog must be gone once the server is: its process id could belong to somebody else later. */
export function dismissWatchdog({ watchdogPid }: SupervisedProcess): void {
  signal(watchdogPid, 'SIGKILL');
}

export function isAlive(pid: number): boolean {
  return signal(pid, 0);
}

/** @returns false when there is no such process. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

const POLL_MS = 10;

/** @returns false when the deadline passed. */
export async function waitUntilGone(pids: readonly number[], deadlineMs: number): Promise<boolean> {
  const deadline = Date.now() + deadlineMs;
  while (pids.some(isAlive)) {
    if (Date.now() > deadline) return false;
    await pause();
  }
  return true;
}

/** The interval between two looks at a process that offers nothing to wait on. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

/** Direct children, from /proc where there is one, else from ps. */
export function childPids(pid: number): number[] {
  const children = `/proc/${pid}/task/${pid}/children`;
  if (existsSync(children)) return readFileSync(children, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  return (stdout ?? '')
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([child, parent]) => (child !== undefined && parent === pid ? [child] : []));
}
