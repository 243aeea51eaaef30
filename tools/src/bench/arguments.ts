import { parseArgs } from 'node:util';

export const CASES = [
  'oltp',
  'bulk',
  'hot',
  'full',
  'tables',
  'manytables',
  'keepup',
  'latency',
  'hugetx',
  'distance',
] as const;
export type CaseName = (typeof CASES)[number];

export interface BenchOptions {
  readonly caseName: CaseName;
  readonly json: boolean;
  readonly runCount: number;
  /** Multiplies the work; 1 is the published case. */
  readonly scale: number;
  /** Runs the case with 1, 4 and 16 times the work. */
  readonly growth: boolean;
  readonly profile: boolean;
  /** Names of the systems that take part; `null` for all. */
  readonly only: readonly string[] | null;
}

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const USAGE = `Usage: npm run bench -- <${CASES.join('|')}> [--runs N] [--scale X] [--growth] [--profile] [--only A,B] [--json]

  oltp       a backlog of 60,000 TPC-B transactions waits in the slot; time until the target is equal
  bulk       a backlog of three transactions: 1,000,000 inserts, 300,000 updates, 200,000 deletes
  hot        a backlog of 120,000 transactions of two updates each on 2,000 rows, most on few of them
  hugetx     a backlog of one transaction of 2 GB; time, and the most memory that each service used
  full       structure, data, keys and indexes of a pgbench database with one big table (scale 50)
  tables     as full, the rows in 400 tables of the same size
  manytables 10,000 tables with 20,000 indexes and little data
  keepup     pgbench with 40 clients for 60 s on the source: its rate, and the backlog at its end
  latency    a marker row every 20 ms at 10 %, 50 % and 90 % of the sustainable rate: from commit to visibility
  distance   oltp and full, with 0 ms and with 20 ms of round trip to the target

  --runs N     runs of each system, in turn (default 3)
  --scale X    multiplies the work, 0.001–16 (default 1)
  --growth     the case with 1, 4 and 16 times the work, one after the other
  --profile    CPU time of every process, and where each service spends it; the times are not worth much then
  --only A,B   only these systems
  --json       only {"results":[{"name","medianSeconds","runs":[…],"figures":{…}}]} on standard output

Every run starts from the same restored base, and both sides are compared after it: a run that is not equal has no time.
Systems that are not installed are named as missing.
`;

/** @throws UsageError */
export function parseBenchArguments(argv: readonly string[]): BenchOptions | 'help' {
  const { values, positionals } = parseOptions(argv);
  if (values.help) return 'help';
  const caseName = CASES.find((name) => name === positionals[0]);
  if (!caseName || positionals.length !== 1) throw new UsageError(`name one case: ${CASES.join(', ')}`);
  return {
    caseName,
    json: values.json,
    runCount: inRange('--runs', values.runs, { min: 1, max: 50, integer: true }),
    scale: inRange('--scale', values.scale, { min: 0.001, max: 16, integer: false }),
    growth: values.growth,
    profile: values.profile,
    only: values.only?.split(',').map((name) => name.trim()) ?? null,
  };
}

function parseOptions(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        runs: { type: 'string', default: '3' },
        scale: { type: 'string', default: '1' },
        growth: { type: 'boolean', default: false },
        profile: { type: 'boolean', default: false },
        only: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
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
