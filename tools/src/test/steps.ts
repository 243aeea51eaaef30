import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Counts, countJestResults, ONE_FAILED, ONE_PASSED } from './counts.js';
import { runCommand } from './run-step.js';

export interface TestStep {
  readonly name: string;
  readonly title: string;
  /** False where what it checks is not part of this checkout. */
  isPresent(): boolean;
  run(signal: AbortSignal): Promise<Counts>;
}

const bin = (name: string): string => path.join('node_modules/.bin', name);
const CODEGEN = 'tools/dist/codegen/main.js';

export const STEPS: readonly TestStep[] = [
  commandStep('format', 'Formatting (prettier)', [
    [bin('prettier'), '--check', '.', '--cache', '--cache-location', 'node_modules/.cache/prettier/.prettier-cache'],
  ]),
  commandStep('lint', 'Lint (eslint, module boundaries)', [
    // The boundary rule reads the project graph from Nx's cache, and passes everything when it is not there.
    [bin('nx'), 'show', 'projects'],
    [bin('eslint'), '.', '--max-warnings', '0', '--cache', '--cache-location', 'node_modules/.cache/eslint/'],
  ]),
  commandStep('types', 'Types (tsc)', [[bin('tsc'), '--noEmit', '--pretty', 'false', '-p', 'tsconfig.json']]),
  { ...commandStep('knip', 'Unused files, exports, dependencies (knip)', [[bin('knip')]]), isPresent: hasKnipConfig },
  {
    ...commandStep('docs', 'Generated documents are up to date', [[process.execPath, CODEGEN, '--check']]),
    isPresent: () => existsSync(CODEGEN),
  },
  jestStep('unit', 'Unit tests'),
  jestStep('pg', 'Tests on PostgreSQL'),
  jestStep('nats', 'Tests on NATS'),
  jestStep('e2e', 'End-to-end scenarios'),
];

function hasKnipConfig(): boolean {
  return existsSync('knip.json');
}

function commandStep(name: string, title: string, commands: readonly (readonly [string, ...string[]])[]): TestStep {
  const run = async (signal: AbortSignal): Promise<Counts> => {
    for (const [file, ...args] of commands) {
      const { status, output } = await runCommand(file, args, { signal });
      if (status === 0) continue;
      process.stdout.write(`${output.trimEnd()}\n`);
      return ONE_FAILED;
    }
    return ONE_PASSED;
  };
  return { name, title, run, isPresent: () => true };
}

function jestStep(project: string, title: string): TestStep {
  const run = async (signal: AbortSignal): Promise<Counts> => {
    const folder = await mkdtemp(path.join(tmpdir(), 'sluice-jest-'));
    const results = path.join(folder, 'results.json');
    try {
      const args = [
        '--experimental-vm-modules',
        '--no-warnings',
        'node_modules/jest/bin/jest.js',
        ...['--selectProjects', project],
        ...['--json', `--outputFile=${results}`],
        '--passWithNoTests',
      ];
      const { status } = await runCommand(process.execPath, args, { live: true, signal });
      return countJestResults(existsSync(results) ? readFileSync(results, 'utf8') : null, status === 0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  return { name: project, title, run, isPresent: () => true };
}
