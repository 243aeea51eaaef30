import { type Client, connect, type Endpoint, VALUE_SETTINGS } from '@sluice/postgres-client';
import { type ComparedTable, readTables } from './compared-table.js';
import { rowText, type RowTextOptions } from './row-text.js';

export interface SameRowsOptions {
  /** `schema.table`, as PostgreSQL would write them; default: all that the source has. */
  readonly tables?: readonly string[];
  /** Default: `sluice`, where the service keeps its own tables. */
  readonly excludeSchemas?: readonly string[];
}

interface Side {
  readonly endpoint: Endpoint;
}

const SHOWN_ROWS_MAX = 5;
const SHOWN_CHARACTERS_MAX = 400;

/** A table that is not the same on both sides. */
export interface TableDifference {
  readonly schema: string;
  /** What differs, with up to five rows per side. */
  readonly lines: readonly string[];
}

/**
 * The oracle of all tests: every user table has the same rows on both sides, compared as text under the settings that
 * values are moved with, as a multiset (no key or equality operator needed, duplicates count).
 * Writers must have stopped. @throws Error that names each differing table with up to five rows per side.
 */
export async function expectSameRows(source: Side, target: Side, options: SameRowsOptions = {}): Promise<void> {
  const differences = await findDifferences(source, target, options);
  if (differences.length === 0) return;
  throw new Error(`source and target differ\n${differences.flatMap(({ lines }) => lines).join('\n')}`);
}

/** The same as a list. */
export async function findDifferences(
  source: Side,
  target: Side,
  options: SameRowsOptions = {},
): Promise<TableDifference[]> {
  await using left = await openSide(source);
  await using right = await openSide(target);
  const excluded = options.excludeSchemas ?? ['sluice'];
  const [sourceTables, targetTables] = [await readTables(left, excluded), await readTables(right, excluded)];
  for (const wanted of options.tables ?? []) {
    if (!sourceTables.has(wanted)) throw new Error(`expectSameRows: the source has no table ${wanted}`);
  }
  const form = {
    floatsAsBytes: (await isBeforeShortestFloats(left)) !== (await isBeforeShortestFloats(right)),
    asUtf8: (await readEncoding(left)) !== (await readEncoding(right)),
  };
  const differences: TableDifference[] = [];
  for (const [name, table] of sourceTables) {
    if (options.tables && !options.tables.includes(name)) continue;
    const onTarget = targetTables.get(name);
    const lines = onTarget
      ? await compareTable({ left, right, form }, { name, table, onTarget })
      : [`${name}: the target has no such table`];
    if (lines.length > 0) differences.push({ schema: table.schema, lines });
  }
  return differences;
}

/** Said again here: a judge that took over the settings that values are moved with would not see one that is missing. */
const JUDGE_SETTINGS: Readonly<Record<string, string>> = {
  ...VALUE_SETTINGS,
  DateStyle: 'ISO,YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '3',
  bytea_output: 'hex',
};

function openSide(side: Side): Promise<Client> {
  return connect(side.endpoint, { applicationName: 'expectSameRows', settings: JUDGE_SETTINGS });
}

/** PostgreSQL 12 began to write floats in their shortest form: the same number has another text before and after. */
async function isBeforeShortestFloats(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ version: number }>(
    "SELECT current_setting('server_version_num')::int AS version",
  );
  return (rows[0]?.version ?? 0) < 120_000;
}

async function readEncoding(client: Client): Promise<string> {
  const { rows } = await client.query<{ encoding: string }>('SELECT getdatabaseencoding() AS encoding');
  return rows[0]?.encoding ?? '';
}

interface Sides {
  readonly left: Client;
  readonly right: Client;
  readonly form: RowTextOptions & { readonly asUtf8: boolean };
}

async function compareTable(
  { left, right, form }: Sides,
  { name, table, onTarget }: { name: string; table: ComparedTable; onTarget: ComparedTable },
): Promise<string[]> {
  const missing = table.columns.filter(({ name: column }) => !onTarget.columns.some((other) => other.name === column));
  if (missing.length > 0 || table.columns.length !== onTarget.columns.length) {
    const columns = (side: ComparedTable): string => side.columns.map((column) => column.name).join(', ');
    return [`${name}: columns differ\n  source: ${columns(table)}\n  target: ${columns(onTarget)}`];
  }
  // The source's columns in the source's order on both sides: their order may differ.
  const text = rowText(table, form);
  const bytes = form.asUtf8 ? `convert_to(${text}, 'UTF8')` : text;
  const onSource = { from: table.from, text, bytes };
  const onRight = { from: onTarget.from, text, bytes };
  const [digest, targetDigest] = [await readDigest(left, onSource), await readDigest(right, onRight)];
  if (digest.sum === targetDigest.sum && digest.count === targetDigest.count) return [];
  const counts = await Promise.all([readRowCounts(left, onSource), readRowCounts(right, onRight)]);
  const onlyLeft = surplus(counts[0], counts[1]);
  const onlyRight = surplus(counts[1], counts[0]);
  return [
    `${name}: ${digest.count} rows on the source, ${targetDigest.count} on the target; ` +
      `${onlyLeft.total} only on the source, ${onlyRight.total} only on the target`,
    ...(await showRows(left, onSource, onlyLeft)).map((line) => `  source  ${line}`),
    ...(await showRows(right, onRight, onlyRight)).map((line) => `  target  ${line}`),
  ];
}

interface TableText {
  readonly from: string;
  readonly text: string;
  /** What is hashed: databases of two encodings hold the same text as other bytes. */
  readonly bytes: string;
}

/** The sum of the rows' hashes does not depend on their order and counts duplicates. */
async function readDigest(client: Client, { from, bytes }: TableText): Promise<{ count: string; sum: string }> {
  const half = (start: number): string => `sum(('x' || substr(hash, ${start}, 16))::bit(64)::bigint::numeric)`;
  const { rows } = await client.query<{ count: string; sum: string }>(
    `SELECT count(*) AS count, concat(${half(1)}, '/', ${half(17)}) AS sum
       FROM (SELECT md5(${bytes}) AS hash FROM ${from}) AS hashed`,
  );
  return rows[0] ?? { count: '0', sum: '' };
}

type RowCounts = ReadonlyMap<string, number>;

async function readRowCounts(client: Client, { from, bytes }: TableText): Promise<RowCounts> {
  const { rows } = await client.query<{ hash: string; count: number }>(
    `SELECT md5(${bytes}) AS hash, count(*)::int AS count FROM ${from} GROUP BY 1`,
  );
  return new Map(rows.map(({ hash, count }) => [hash, count]));
}

interface Surplus {
  readonly total: number;
  readonly hashes: ReadonlyMap<string, number>;
}

/** What the first has more often than the second. */
function surplus(first: RowCounts, second: RowCounts): Surplus {
  const hashes = new Map<string, number>();
  let total = 0;
  for (const [hash, count] of first) {
    const more = count - (second.get(hash) ?? 0);
    if (more <= 0) continue;
    total += more;
    hashes.set(hash, more);
  }
  return { total, hashes };
}

async function showRows(client: Client, { from, text, bytes }: TableText, { hashes }: Surplus): Promise<string[]> {
  const shown = [...hashes.keys()].slice(0, SHOWN_ROWS_MAX);
  if (shown.length === 0) return [];
  const { rows } = await client.query<{ hash: string; row: string }>(
    `SELECT DISTINCT hash, left(row, ${SHOWN_CHARACTERS_MAX}) AS row
       FROM (SELECT ${text} AS row, md5(${bytes}) AS hash FROM ${from}) AS texts WHERE hash = ANY ($1)`,
    [shown],
  );
  return rows.map(({ hash, row }) => {
    const times = hashes.get(hash) ?? 1;
    return times === 1 ? row : `${row} (${times} times)`;
  });
}
