import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Crash, Supervisor } from './supervisor.js';

const DEADLINE_MS = 10_000;

let folder: string;
let crashes: Crash[];
let supervisor: Supervisor;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-supervisor-'));
  crashes = [];
  supervisor = new Supervisor({ logDir: folder, onCrash: (crash) => crashes.push(crash), restartBaseMs: 10 });
});
afterEach(async () => {
  await supervisor.stop(0);
  await rm(folder, { recursive: true });
});

async function start(name: string, source: string): Promise<void> {
  const entry = path.join(folder, `${name}.mjs`);
  await writeFile(entry, source);
  supervisor.start({ name, entry, env: {} });
}

async function until<T>(look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const log = (name: string): Promise<string> => readFile(supervisor.logFile(name), 'utf8');
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const STAYS = `console.log('up'); setInterval(() => {}, 1000);`;
const IGNORES_SIGTERM = `process.on('SIGTERM', () => console.log('asked')); ${STAYS}`;

describe('the supervisor', () => {
  it('starts a killed process again and says so', async () => {
    await start('worker', STAYS);
    const first = supervisor.pidOf('worker') ?? 0;
    await until(async () => (await log('worker')) === 'up\n');
    process.kill(first, 'SIGKILL');
    const second = await until(() => supervisor.pidOf('worker') !== first && supervisor.pidOf('worker'));
    expect(crashes).toEqual([{ name: 'worker', cause: 'signal SIGKILL', restartInMs: expect.any(Number) }]);
    await until(async () => (await log('worker')) === 'up\nup\n');
    expect(isAlive(second)).toBe(true);
  });

  it('starts a process anew with variables for one life only, which is no crash', async () => {
    await start('worker', `console.log('life', process.env.ONCE ?? ''); setInterval(() => {}, 1000);`);
    await until(async () => (await log('worker')) === 'life \n');
    await supervisor.restart('worker', { ONCE: 'one' });
    await until(async () => (await log('worker')) === 'life \nlife one\n');
    expect(crashes).toEqual([]);
    process.kill(supervisor.pidOf('worker') ?? 0, 'SIGKILL');
    await until(async () => (await log('worker')) === 'life \nlife one\nlife \n');
  });

  it('waits longer each time when a process cannot start', async () => {
    await start('broken', `console.error('no way'); process.exit(3);`);
    await until(() => crashes.length >= 4);
    expect(crashes[0]).toMatchObject({ cause: 'exit code 3' });
    expect(crashes[3]?.restartInMs ?? 0).toBeGreaterThan(crashes[0]?.restartInMs ?? Infinity);
    expect(supervisor.crashesInARow('broken')).toBeGreaterThanOrEqual(4);
    expect(await log('broken')).toContain('no way');
  });

  it('leaves no process after a stop, also not one that ignores SIGTERM, and restarts none', async () => {
    await start('polite', STAYS);
    await start('stubborn', IGNORES_SIGTERM);
    const pids = ['polite', 'stubborn'].map((name) => supervisor.pidOf(name) ?? 0);
    await until(async () => (await log('stubborn')) === 'up\n');
    await supervisor.stop(300);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await log('stubborn')).toContain('asked');
    expect(crashes).toEqual([]);
  });
});
