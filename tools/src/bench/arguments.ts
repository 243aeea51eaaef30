import { parseArgs } from 'node:util';

export const CASES = ['oltp', 'full'] as const;
export type CaseName = (typeof CASES)[number];

export interface BenchOptions {
  readonly caseName: CaseName;
  readonly json: boolean;
  readonly runCount: number;
  /** Multiplies the work; 1 is the published case. */
  readonly scale: number;
}

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const USAGE = `Usage: npm run bench -- <${CASES.join('|')}> [--runs N] [--scale X] [--json]

  oltp   a backlog of 60,000 TPC-B transactions waits in the slot; time until the target is equal
  full   structure, data, keys and indexes of a pgbench database with one big table (scale 50)

  --runs N    runs of each system, in turn (default 3)
  --scale X   multiplies the work, 0.01–16 (default 1)
  --json      only {"results":[{"name","medianSeconds","runs":[…]}]} on standard output

Every run starts from the same restored base, and both sides are compared after it: a run that is not equal has no time.
Systems that are not installed are named as missing.
`;

/** @throws UsageError */
export function parseBenchArguments(argv: readonly string[]): BenchOptions | 'help' {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        runs: { type: 'string', default: '3' },
        scale: { type: 'string', default: '1' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  if (values.help) return 'help';
  const caseName = CASES.find((name) => name === positionals[0]);
  if (!caseName || positionals.length !== 1) throw new UsageError(`name one case: ${CASES.join(', ')}`);
  return {
    caseName,
    json: values.json,
    runCount: inRange('--runs', values.runs, { min: 1, max: 50, integer: true }),
    scale: inRange('--scale', values.scale, { min: 0.01, max: 16, integer: false }),
  };
}

function inRange(
  name: string,
  text: string,
  { min, max, integer }: { min: number; max: number; integer: boolean },
): number {
  const value = Number(text);
  if (!(value >= min && value <= max) || (integer && !Number.isInteger(value))) {
    throw new UsageError(`${name} must be ${integer ? 'a whole number ' : ''}from ${min} to ${max}`);
  }
  return value;
}
