import { mkdtemp, chmod, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BenchOptions, parseBenchArguments, USAGE, UsageError } from './arguments.js';
import { startBenchServers } from './bench-servers.js';
import { fullSystems } from './full-case.js';
import { measureInTurn } from './measurement.js';
import { oltpSystems } from './oltp-case.js';
import { formatResults, resultsAsJson } from './report.js';
import { startSluice } from './sluice-stack.js';

const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

async function runBench(options: BenchOptions): Promise<void> {
  // Progress goes to standard error, so that --json leaves standard output to the result.
  const report = (line: string): void => void process.stderr.write(`${line}\n`);
  await using resources = new AsyncDisposableStack();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void resources.disposeAsync().finally(() => process.exit(EXIT_INTERRUPTED)));
  }
  const directory = await mkdtemp(path.join(tmpdir(), 'sluice-bench-'));
  // The database servers run as another user when this process is root; they must be able to pass through.
  await chmod(directory, 0o711);
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const servers = await startBenchServers(directory, resources, report);
  const sluice = await startSluice(resources, report);
  const make = { oltp: oltpSystems, full: fullSystems }[options.caseName];
  const systems = await make(servers, { sluice, scale: options.scale, report });
  const results = await measureInTurn(systems, { runCount: options.runCount, report });
  const title = `${options.caseName}, scale ${options.scale}, ${options.runCount} run(s)`;
  process.stdout.write(`${options.json ? resultsAsJson(results) : formatResults(title, results)}\n`);
  if (results.some(({ name, medianSeconds }) => name === 'sluice' && medianSeconds === null)) process.exitCode = 1;
}

try {
  const options = parseBenchArguments(process.argv.slice(2));
  if (options === 'help') process.stdout.write(USAGE);
  else await runBench(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`✗ ${error.message}\n\n${USAGE}`);
  process.exitCode = EXIT_USAGE;
}
