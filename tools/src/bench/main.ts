import { chmod, mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BenchOptions, type CaseName, parseBenchArguments, USAGE, UsageError } from './arguments.js';
import { type BenchCase } from './bench-case.js';
import { startBenchServers } from './bench-servers.js';
import { bulk } from './cases/bulk.js';
import { distance } from './cases/distance.js';
import { full } from './cases/full.js';
import { hot } from './cases/hot.js';
import { hugetx } from './cases/hugetx.js';
import { keepup } from './cases/keepup.js';
import { latency } from './cases/latency.js';
import { manyTables, tables } from './cases/many-tables.js';
import { oltp } from './cases/oltp.js';
import { findDebianServer } from './debian-server.js';
import { measureInTurn, type SystemResult } from './measurement.js';
import { profileEnvironment, RunProfiler } from './profile/run-profiler.js';
import { formatGrowth, formatResults, type GrowthStep } from './report.js';
import { endShells } from './shell.js';
import { startSluice } from './sluice-stack.js';

const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;
const GROWTH_FACTORS = [1, 4, 16];
const CASES: Readonly<Record<CaseName, BenchCase>> = {
  oltp,
  bulk,
  hot,
  full,
  tables,
  manytables: manyTables,
  keepup,
  latency,
  hugetx,
  distance,
};

// Progress goes to standard error, so that --json leaves standard output to the result.
const report = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

interface Run {
  /** Whatever it starts is ended with these. */
  readonly resources: AsyncDisposableStack;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Runs a case on servers and services of its own. */
async function runCase(options: BenchOptions, { resources, signal }: Run): Promise<SystemResult[]> {
  const { caseName, scale, runCount, only } = options;
  const bench = CASES[caseName];
  const directory = await temporaryDirectory('sluice-bench-');
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const profileFolder = options.profile ? await temporaryDirectory('sluice-profile-') : null;
  // Profiles are kept; a folder without any is not.
  if (profileFolder !== null) resources.defer(() => rmdir(profileFolder).catch(() => undefined));
  const debian = bench.withPglogical ? findDebianServer() : null;
  const servers = await startBenchServers({
    directory,
    resources,
    log: report,
    settings: bench.settings,
    binaries: debian,
  });
  const env = profileFolder === null ? {} : profileEnvironment(profileFolder);
  const sluice = await startSluice(resources, { log: report, env });
  const made = await bench.systems({ servers, sluice, scale, report, directory, resources, debian });
  const systems = made.filter(({ name }) => only?.includes(name) ?? true);
  const observer = profileFolder === null ? null : new RunProfiler(profileFolder, { servers, ...sluice });
  const results = await measureInTurn(systems, { runCount, report, signal, ...(observer && { observer }) });
  if (options.json) return results;
  const on = debian ? `, Debian's PostgreSQL ${debian.version}` : '';
  print(formatResults(`${caseName}, scale ${scale}, ${runCount} run(s)${on}`, results));
  for (const line of bench.summarize?.(results) ?? []) print(line);
  if (observer) print(`\n${observer.format()}`);
  return results;
}

async function temporaryDirectory(prefix: string): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), prefix));
  // The database servers run as another user when this process is root; they must be able to pass through.
  await chmod(directory, 0o711);
  return directory;
}

async function runBench(options: BenchOptions, { resources, signal }: Run): Promise<void> {
  const factors = options.growth ? GROWTH_FACTORS : [1];
  const steps: GrowthStep[] = [];
  for (const factor of factors) {
    // What one amount of work started must not be there beside the next one.
    const own = new AsyncDisposableStack();
    resources.defer(() => own.disposeAsync());
    steps.push({
      factor,
      results: await runCase({ ...options, scale: options.scale * factor }, { resources: own, signal }),
    });
    await own.disposeAsync();
  }
  if (options.json) print(JSON.stringify(options.growth ? { growth: steps } : { results: steps[0]?.results }));
  else if (options.growth) print(`\n${formatGrowth(options.caseName, steps)}`);
  const isOurs = ({ name }: SystemResult): boolean => name.includes('sluice');
  if (steps.some(({ results }) => results.some((result) => isOurs(result) && result.missing !== undefined))) {
    process.exitCode = 1;
  }
}

/** Runs the bench to its end or to Ctrl-C; either way nothing of it is left. */
async function runToItsEnd(options: BenchOptions): Promise<void> {
  const resources = new AsyncDisposableStack();
  const interrupt = new AbortController();
  const { promise: interrupted, resolve: onInterrupt } = Promise.withResolvers<void>();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      interrupt.abort();
      onInterrupt();
    });
  }
  try {
    await Promise.race([runBench(options, { resources, signal: interrupt.signal }), interrupted]);
  } finally {
    endShells();
    await resources.disposeAsync();
  }
  // What was interrupted still waits for something that will not come.
  if (interrupt.signal.aborted) process.exit(EXIT_INTERRUPTED);
}

try {
  const options = parseBenchArguments(process.argv.slice(2));
  if (options === 'help') process.stdout.write(USAGE);
  else await runToItsEnd(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`✗ ${error.message}\n\n${USAGE}`);
  process.exitCode = EXIT_USAGE;
}
