import { dismissWatchdog, runAtDeath } from '@sluice/embedded';
import { backoffDelayMs } from '@sluice/kernel';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

export interface ServiceProcess {
  readonly name: string;
  /** The file that Node runs. */
  readonly entry: string;
  readonly env: NodeJS.ProcessEnv;
  /** A module that Node loads before the entry. */
  readonly preload?: string;
}

export interface Crash {
  readonly name: string;
  /** `exit code 1` or `signal SIGKILL`. */
  readonly cause: string;
  readonly restartInMs: number;
}

export interface SupervisorOptions {
  /** Each process writes to `<name>.log` in it. */
  readonly logDir: string;
  readonly onCrash: (crash: Crash) => void;
  /** Default: 200 ms, doubled up to 5 s. */
  readonly restartBaseMs?: number;
}

/** Small young generations: memory of batches is given back early, which bounds what a large transaction makes a service use (I7). */
const NODE_ARGUMENTS = ['--enable-source-maps', '--max-semi-space-size=4'];
/** Bytes from which memory comes from the system and goes back to it. Fixed, as glibc raises it to what was freed last, and then keeps what batches had. */
const MEMORY_ENVIRONMENT = { MALLOC_MMAP_THRESHOLD_: '131072' };
const RESTART_BASE_MS = 200;
const RESTART_CAP_MS = 5_000;
/** A process that lived that long has not failed to start: its next crash is restarted without delay again. */
const HEALTHY_AFTER_MS = 20_000;

interface Supervised {
  readonly service: ServiceProcess;
  child: ChildProcess | null;
  startedAtMs: number;
  crashesInARow: number;
  restartTimer: NodeJS.Timeout | null;
}

/**
 * Keeps processes running until it is told to stop them.
 *
 * Maintained invariant: once `stop` or `kill` was called nothing is started any more, and when `stop` has resolved no
 * process is left.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #supervised = new Map<string, Supervised>();
  #isStopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  start(service: ServiceProcess): void {
    const entry: Supervised = { service, child: null, startedAtMs: 0, crashesInARow: 0, restartTimer: null };
    this.#supervised.set(service.name, entry);
    this.#launch(entry);
  }

  /** Kills a process and starts it again at once, for its next life only with more variables. It counts as no crash. */
  async restart(name: string, onceEnv: NodeJS.ProcessEnv = {}): Promise<void> {
    const entry = this.#supervised.get(name);
    if (!entry) throw new Error(`no process is named ${name}`);
    if (entry.restartTimer) clearTimeout(entry.restartTimer);
    const { child } = entry;
    entry.child = null;
    if (child?.pid !== undefined) {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    }
    if (!this.#isStopping) this.#launch(entry, onceEnv);
  }

  /** `undefined` while the process waits for its restart. */
  pidOf(name: string): number | undefined {
    return this.#supervised.get(name)?.child?.pid;
  }

  crashesInARow(name: string): number {
    return this.#supervised.get(name)?.crashesInARow ?? 0;
  }

  logFile(name: string): string {
    return path.join(this.#options.logDir, `${name}.log`);
  }

  /** SIGTERM to all; what still runs after `graceMs` is killed. */
  async stop(graceMs: number): Promise<void> {
    const children = this.#endRestarts();
    const exits = children.map((child) => once(child, 'exit'));
    children.forEach((child) => child.kill('SIGTERM'));
    const killer = setTimeout(() => children.forEach((child) => child.kill('SIGKILL')), graceMs);
    await Promise.all(exits);
    clearTimeout(killer);
  }

  /** Ends all at once, without a chance to clean up. */
  kill(): void {
    this.#endRestarts().forEach((child) => child.kill('SIGKILL'));
  }

  #endRestarts(): ChildProcess[] {
    this.#isStopping = true;
    const entries = [...this.#supervised.values()];
    entries.forEach(({ restartTimer }) => restartTimer && clearTimeout(restartTimer));
    return entries.flatMap(({ child }) => (child?.pid === undefined ? [] : [child]));
  }

  #launch(entry: Supervised, onceEnv: NodeJS.ProcessEnv = {}): void {
    const { name, entry: file, env, preload } = entry.service;
    const log = openSync(this.logFile(name), 'a');
    try {
      const preloading = preload === undefined ? [] : ['--import', pathToFileURL(preload).href];
      // In the process group of this process: whoever ends the group, because this process was killed, ends it too.
      const child = spawn(process.execPath, [...NODE_ARGUMENTS, ...preloading, file], {
        env: { ...MEMORY_ENVIRONMENT, ...env, ...onceEnv },
        stdio: ['ignore', log, log],
      });
      entry.child = child;
      entry.startedAtMs = performance.now();
      const watchdog = runAtDeath('kill', ['-KILL', String(child.pid ?? 0)]);
      const onEnd = (cause: string): void => {
        // Its process id may soon be somebody else's.
        dismissWatchdog(watchdog);
        if (entry.child === child) this.#onExit(entry, cause);
      };
      child.once('error', () => onEnd('it could not be started'));
      child.once('exit', (code, signal) => onEnd(signal === null ? `exit code ${code}` : `signal ${signal}`));
    } finally {
      closeSync(log);
    }
  }

  #onExit(entry: Supervised, cause: string): void {
    entry.child = null;
    if (this.#isStopping) return;
    const livedMs = performance.now() - entry.startedAtMs;
    entry.crashesInARow = livedMs > HEALTHY_AFTER_MS ? 1 : entry.crashesInARow + 1;
    const restartInMs = backoffDelayMs(entry.crashesInARow - 1, {
      baseMs: this.#options.restartBaseMs ?? RESTART_BASE_MS,
      capMs: RESTART_CAP_MS,
    });
    this.#options.onCrash({ name: entry.service.name, cause, restartInMs });
    entry.restartTimer = setTimeout(() => this.#launch(entry), restartInMs);
  }
}
