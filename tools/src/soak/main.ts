import path from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand } from '../test/run-step.js';

const USAGE = `npm run soak -- --minutes N [--seed S]

Runs random faults, large transactions and DDL on a whole cluster for N minutes (default 10) and compares all rows again and again.
The same seed makes the same writes and the same order of faults; it is printed at the begin. The exit code is 0 only if source and
target were equal each time and no property was broken.
`;

/** Servers and services start before it, and the last round is ended. */
const OVERTIME_MS = 15 * 60_000;

/** @returns the exit code. */
async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { minutes, seed, help } = readArguments(args);
  if (help || !(minutes > 0) || (seed !== undefined && !/^\d+$/.test(seed))) {
    process[help ? 'stdout' : 'stderr'].write(USAGE);
    return help ? 0 : 2;
  }
  const jest = [
    '--experimental-vm-modules',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    '--selectProjects',
    'e2e',
  ];
  const { status } = await runCommand(
    process.execPath,
    [...jest, '--runTestsByPath', 'e2e/scenarios/soak/soak.spec.ts'],
    {
      live: true,
      deadlineMs: minutes * 60_000 + OVERTIME_MS,
      signal,
      env: { SLUICE_SOAK_MINUTES: String(minutes), ...(seed !== undefined && { SLUICE_E2E_SEED: seed }) },
    },
  );
  return status ?? 1;
}

function readArguments(args: readonly string[]): { minutes: number; seed: string | undefined; help: boolean } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' }, help: { type: 'boolean' } },
    });
    return { minutes: Number(values.minutes), seed: values.seed, help: values.help ?? false };
  } catch {
    return { minutes: Number.NaN, seed: undefined, help: false };
  }
}

process.chdir(path.resolve(import.meta.dirname, '../../..'));
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort());
process.exitCode = await main(process.argv.slice(2), interrupted.signal);
