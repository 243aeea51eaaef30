import { type Client, quoteIdentifier } from '@sluice/postgres-client';
import { type ComparableTable, type TablePair } from './comparable-tables.js';
import { type RowDifference, type RowKey } from './comparison-report.js';
import {
  EMPTY_FINGERPRINT,
  equalFingerprints,
  type Fingerprint,
  FINGERPRINT_COLUMNS,
  type FingerprintRow,
  parseFingerprint,
  rowHash,
  type TextForm,
} from './row-expression.js';
import { hashedRows, keyColumnsOf } from './table-fingerprint.js';

/** Three hex digits: 4096 groups a pass narrow 100 million rows to a few thousand in two passes. */
const DIGITS_PER_PASS = 3;
const HASH_DIGITS = 32;
/** Up to so many pairs of hashes of one side are looked at in memory, about 2 MB. */
const FETCHED_HASHES_MAX = 20_000;

export interface DrillDownOptions {
  readonly source: Client;
  readonly target: Client;
  readonly form: TextForm;
  /** How many differing rows are named. */
  readonly rowsMax: number;
  readonly signal: AbortSignal;
}

/** Rows by key hash `k` and row hash `h`. Without a common primary key the row is its own key. */
interface HashedTable {
  readonly table: ComparableTable;
  readonly k: string;
  readonly h: string;
  readonly hasKey: boolean;
}

/**
 * Names up to `rowsMax` rows that differ. Key hashes are grouped by their first digits and compared, and the groups
 * that differ are cut finer until few enough rows are left: memory stays bounded whatever the size of the table.
 */
export async function findDifferingRows(pair: TablePair, options: DrillDownOptions): Promise<RowDifference[]> {
  const hasKey = pair.source.keyColumns.length > 0 && sameNames(pair.source.keyColumns, pair.target.keyColumns);
  const describe = (table: ComparableTable): HashedTable => {
    const h = rowHash(table.columns, options.form);
    return { table, h, hasKey, k: hasKey ? rowHash(keyColumnsOf(table), options.form) : h };
  };
  const tables = { source: describe(pair.source), target: describe(pair.target) };
  const prefixes = await narrow(tables, options);
  const [sourceRows, targetRows] = await Promise.all([
    fetchHashes(options.source, tables.source, prefixes),
    fetchHashes(options.target, tables.target, prefixes),
  ]);
  const differing = [...new Set([...sourceRows.keys(), ...targetRows.keys()])]
    .filter((key) => !equalCopies(sourceRows.get(key), targetRows.get(key)))
    .toSorted()
    .slice(0, options.rowsMax);
  const [sourceDetails, targetDetails] = await Promise.all([
    fetchDetails(options.source, tables.source, { keys: differing, form: options.form }),
    fetchDetails(options.target, tables.target, { keys: differing, form: options.form }),
  ]);
  return differing.map((hash) => {
    const source = sourceDetails.get(hash) ?? null;
    const target = targetDetails.get(hash) ?? null;
    const key: RowKey = (hasKey ? (source ?? target)?.key : undefined) ?? { kind: 'row-hash', hash };
    const copies = { source: countCopies(sourceRows.get(hash)), target: countCopies(targetRows.get(hash)) };
    if (copies.target === 0) return { kind: 'only-in-source', key };
    if (copies.source === 0) return { kind: 'only-in-target', key };
    if (copies.source !== copies.target) {
      return { kind: 'copies-differ', key, sourceCopies: copies.source, targetCopies: copies.target };
    }
    const columns = pair.source.columns.map(({ name }) => name);
    const differs = columns.filter((_, index) => source?.columnHashes[index] !== target?.columnHashes[index]);
    return { kind: 'differs', key, columns: differs };
  });
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

type BothTables = Readonly<Record<'source' | 'target', HashedTable>>;

/** Prefixes of key hashes below which rows differ and few enough rows stand. */
async function narrow(tables: BothTables, options: DrillDownOptions): Promise<string[]> {
  let prefixes = [''];
  for (let digits = DIGITS_PER_PASS; digits < HASH_DIGITS; digits += DIGITS_PER_PASS) {
    options.signal.throwIfAborted();
    const [source, target] = await Promise.all([
      groupByPrefix(options.source, tables.source, { prefixes, digits }),
      groupByPrefix(options.target, tables.target, { prefixes, digits }),
    ]);
    prefixes = [...new Set([...source.keys(), ...target.keys()])]
      .filter((prefix) => !equalFingerprints(at(source, prefix), at(target, prefix)))
      .toSorted()
      .slice(0, options.rowsMax);
    const rowCount = prefixes.reduce(
      (sum, prefix) => sum + at(source, prefix).rowCount + at(target, prefix).rowCount,
      0n,
    );
    if (rowCount <= FETCHED_HASHES_MAX) break;
  }
  return prefixes;
}

function at(groups: ReadonlyMap<string, Fingerprint>, prefix: string): Fingerprint {
  return groups.get(prefix) ?? EMPTY_FINGERPRINT;
}

/** `k` and `h` of the rows whose key hash begins, with $1 digits, as one of $2. No hash is computed that is not needed. */
function hashesBelow({ table, k, h, hasKey }: HashedTable): string {
  const isBelow = (key: string): string => `$1::int = 0 OR left(${key}, $1::int) = ANY ($2::text[])`;
  if (hasKey) return hashedRows(table.name, { k, h }, `WHERE ${isBelow(k)}`);
  return `SELECT h AS k, h FROM (${hashedRows(table.name, { h })}) AS row_hashes WHERE ${isBelow('h')}`;
}

async function groupByPrefix(
  client: Client,
  hashed: HashedTable,
  { prefixes, digits }: { prefixes: readonly string[]; digits: number },
): Promise<Map<string, Fingerprint>> {
  const { rows } = await client.query<FingerprintRow & { prefix: string }>(
    `SELECT left(k, $3) AS prefix, ${FINGERPRINT_COLUMNS}
     FROM (${hashesBelow(hashed)}) AS hashed
     GROUP BY 1`,
    [prefixes[0]?.length ?? 0, prefixes, digits],
  );
  return new Map(rows.map((row) => [row.prefix, parseFingerprint(row)]));
}

/** Row hash → number of copies. */
type Copies = ReadonlyMap<string, number>;

/** Key hash → the rows that have that key. */
async function fetchHashes(
  client: Client,
  hashed: HashedTable,
  prefixes: readonly string[],
): Promise<Map<string, Copies>> {
  const { rows } = await client.query<{ k: string; h: string; copies: string }>(
    `SELECT k, h, count(*) AS copies
     FROM (${hashesBelow(hashed)}) AS hashed
     GROUP BY 1, 2`,
    [prefixes[0]?.length ?? 0, prefixes],
  );
  const byKey = Map.groupBy(rows, (row) => row.k);
  return new Map([...byKey].map(([key, group]) => [key, new Map(group.map((row) => [row.h, Number(row.copies)]))]));
}

function equalCopies(a: Copies | undefined, b: Copies | undefined): boolean {
  return a?.size === b?.size && [...(a ?? [])].every(([hash, copies]) => b?.get(hash) === copies);
}

function countCopies(copies: Copies | undefined): number {
  return [...(copies?.values() ?? [])].reduce((sum, count) => sum + count, 0);
}

interface RowDetails {
  readonly key: RowKey;
  readonly columnHashes: readonly string[];
}

/** Key values and one hash for each column of the rows with these key hashes. */
async function fetchDetails(
  client: Client,
  { table, k, hasKey }: HashedTable,
  { keys, form }: { keys: readonly string[]; form: TextForm },
): Promise<Map<string, RowDetails>> {
  if (!hasKey || keys.length === 0) return new Map();
  const keyValues = table.keyColumns.map((name) => `t.${quoteIdentifier(name)}::text`);
  const columnHashes = table.columns.map((column) => rowHash([column], form));
  const values = { key: `ARRAY[${keyValues.join(', ')}]`, column_hashes: `ARRAY[${columnHashes.join(', ')}]` };
  const { rows } = await client.query<{ k: string; key: string[]; column_hashes: string[] }>(
    `SELECT k, key, column_hashes
     FROM (${hashedRows(table.name, { k, ...values }, `WHERE ${k} = ANY ($1::text[])`)}) AS hashed`,
    [keys],
  );
  return new Map(
    rows.map((row) => {
      const shown = Object.fromEntries(table.keyColumns.map((name, index) => [name, row.key[index] ?? '']));
      return [row.k, { key: { kind: 'primary-key', values: shown }, columnHashes: row.column_hashes }];
    }),
  );
}
