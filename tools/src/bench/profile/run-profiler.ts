import { delay } from '@sluice/kernel';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BenchServers } from '../bench-servers.js';
import { type RunObserver, type System } from '../measurement.js';
import { type NamedProcess } from '../sluice-stack.js';
import { readProcessTimes, readServerTimes, type ServerTimes, serverUsage } from './cpu-time.js';
import {
  parseStartedFile,
  PROFILE_DIRECTORY_VARIABLE,
  PROFILE_SIGNAL,
  profileFile,
  startedFile,
} from './profile-files.js';
import { formatProfile, type SystemProfile } from './profile-report.js';
import { CpuProfile, selfTimes } from './self-time.js';

const POLL_MS = 10;
const DEADLINE_MS = 60_000;

interface Moment {
  readonly processes: ReadonlyMap<number, number>;
  readonly source: ServerTimes;
  readonly target: ServerTimes;
}

interface Profiled {
  readonly servers: BenchServers;
  services(): NamedProcess[];
  processes(): NamedProcess[];
}

/** What all services must be started with. @param folder must exist before they start. */
export function profileEnvironment(folder: string): Record<string, string> {
  const preload = pathToFileURL(path.join(import.meta.dirname, 'profiler-preload.js')).href;
  return { NODE_OPTIONS: `--import=${preload}`, [PROFILE_DIRECTORY_VARIABLE]: folder };
}

/** Counts the CPU time of every process in the timed parts, and profiles the services in those of Sluice. */
export class RunProfiler implements RunObserver {
  readonly #folder: string;
  readonly #profiled: Profiled;
  readonly #profiles = new Map<string, SystemProfile>();
  #before: Moment | null = null;

  /** @param folder for the profiles, as Node's and Chrome's tools read them. */
  constructor(folder: string, profiled: Profiled) {
    this.#folder = folder;
    this.#profiled = profiled;
  }

  async begin(system: System): Promise<void> {
    if (isOurs(system)) {
      const services = this.#profiled.services();
      services.forEach(({ pid }) => process.kill(pid, PROFILE_SIGNAL));
      await this.#untilThere(services.map(({ pid }) => startedFile({ pid, threadId: 0 })));
    }
    this.#before = this.#look(system);
  }

  async end(system: System): Promise<void> {
    const before = this.#before;
    this.#before = null;
    if (!before) return;
    const profile = this.#profiles.get(system.name) ?? { runCount: 0, cpuSeconds: new Map(), selfTimes: new Map() };
    profile.runCount += 1;
    this.#profiles.set(system.name, profile);
    this.#addCpuTimes(profile.cpuSeconds, before, this.#look(system));
    if (isOurs(system)) await this.#collect(profile, path.join(this.#folder, `${system.name}-${profile.runCount}`));
  }

  format(): string {
    return formatProfile(this.#profiles, this.#folder);
  }

  #look({ servers = this.#profiled.servers }: System): Moment {
    const processes = this.#profiled.processes().map(({ pid }) => [pid, readProcessTimes(pid)?.own ?? 0] as const);
    return {
      processes: new Map(processes),
      source: readServerTimes(servers.source.pid),
      target: readServerTimes(servers.target.pid),
    };
  }

  #addCpuTimes(sums: Map<string, number>, before: Moment, after: Moment): void {
    const add = (name: string, seconds: number): void => void sums.set(name, (sums.get(name) ?? 0) + seconds);
    for (const { name, pid } of this.#profiled.processes()) {
      add(name, (after.processes.get(pid) ?? 0) - (before.processes.get(pid) ?? 0));
    }
    for (const side of ['source', 'target'] as const) {
      for (const [kind, seconds] of serverUsage(before[side], after[side])) add(`${side}: ${kind}`, seconds);
    }
  }

  /** Ends the profiles and moves them to a folder of their run, named after their service. */
  async #collect(profile: SystemProfile, into: string): Promise<void> {
    const services = this.#profiled.services();
    const threads = (await readdir(this.#folder)).flatMap((name) => parseStartedFile(name) ?? []);
    const nameOf = new Map(services.map(({ name, pid }) => [pid, name]));
    // A service that was restarted meanwhile would begin a profile now.
    const profiled = threads.filter(({ pid }) => nameOf.has(pid));
    new Set(profiled.map(({ pid }) => pid)).forEach((pid) => process.kill(pid, PROFILE_SIGNAL));
    await this.#untilThere(profiled.map(profileFile));
    await mkdir(into, { recursive: true });
    for (const thread of profiled) {
      const service = nameOf.get(thread.pid) ?? '';
      const thisThread = thread.threadId === 0 ? service : `${service}, thread ${thread.threadId}`;
      const file = path.join(into, `${thisThread}.cpuprofile`);
      await rename(path.join(this.#folder, profileFile(thread)), file);
      const sums = profile.selfTimes.get(thisThread) ?? new Map<string, number>();
      profile.selfTimes.set(thisThread, sums);
      for (const [label, seconds] of selfTimes(CpuProfile.parse(JSON.parse(await readFile(file, 'utf8'))))) {
        sums.set(label, (sums.get(label) ?? 0) + seconds);
      }
    }
    for (const thread of threads) await rm(path.join(this.#folder, startedFile(thread)), { force: true });
  }

  async #untilThere(files: readonly string[]): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      const there = new Set(await readdir(this.#folder));
      const missing = files.filter((file) => !there.has(file));
      if (missing.length === 0) return;
      if (performance.now() > deadline) throw new Error(`no profile was written: ${missing.join(', ')}`);
      await delay(POLL_MS);
    }
  }
}

function isOurs({ name }: System): boolean {
  return name.includes('sluice');
}
