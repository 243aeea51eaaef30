import path from 'node:path';
import { addCounts, type Counts, formatCounts, NO_COUNTS } from './counts.js';
import { STEPS, type TestStep } from './steps.js';

const USAGE = `npm test [-- STEP …]   runs all checks and tests, or only the steps named

Steps, in this order:
${STEPS.map(({ name, title }) => `  ${name.padEnd(8)}${title}`).join('\n')}

The last line is "N passed, N failed, N skipped"; the exit code is 0 only if nothing failed.
Environment: TEST_PG_17=postgres://… uses that server; SLUICE_TEST_BACKEND=containers uses Testcontainers.
`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** @returns the exit code. */
async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(USAGE);
    return 0;
  }
  const unknown = args.filter((arg) => !STEPS.some(({ name }) => name === arg));
  if (unknown.length > 0) {
    process.stderr.write(`unknown step ${unknown.join(', ')}\n\n${USAGE}`);
    return 2;
  }
  const chosen = STEPS.filter((step) => (args.length === 0 || args.includes(step.name)) && step.isPresent());
  const lines: string[] = [];
  let total = NO_COUNTS;
  for (const step of chosen) {
    if (signal.aborted) break;
    const startedAt = Date.now();
    const counts = await runStep(step, signal);
    total = addCounts(total, counts);
    lines.push(`  ${step.name.padEnd(8)}${formatSeconds(startedAt).padStart(8)}  ${formatCounts(counts)}`);
  }
  say(`\n== Summary\n${lines.join('\n')}${signal.aborted ? '\n  interrupted' : ''}\n`);
  say(formatCounts(total));
  if (signal.aborted) return 130;
  return total.failed === 0 ? 0 : 1;
}

/** A failed step does not end the run: one run shows all that is wrong. */
async function runStep(step: TestStep, signal: AbortSignal): Promise<Counts> {
  say(`\n== ${step.title}`);
  const startedAt = Date.now();
  const counts = await step.run(signal);
  say(`-- ${step.name}: ${counts.failed === 0 ? 'ok' : 'FAILED'} in ${formatSeconds(startedAt)}`);
  return counts;
}

function formatSeconds(startedAt: number): string {
  return `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
}

process.chdir(path.resolve(import.meta.dirname, '../../..'));
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort());
process.exitCode = await main(process.argv.slice(2), interrupted.signal);
