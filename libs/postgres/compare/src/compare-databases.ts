import { SluiceError, type TableName } from '@sluice/contracts';
import { type Client, type Endpoint } from '@sluice/postgres-client';
import {
  type ComparableTable,
  pairTables,
  readComparableTables,
  tableKey,
  type TablePair,
} from './comparable-tables.js';
import { compareSequences } from './compare-sequences.js';
import { type ComparisonReport, type TableComparison } from './comparison-report.js';
import { type ComparisonSide, openSide } from './comparison-side.js';
import { findDifferingRows } from './find-differing-rows.js';
import { EMPTY_FINGERPRINT, equalFingerprints, type Fingerprint, type TextForm } from './row-expression.js';
import { CHUNK_BYTES, fingerprintTables } from './table-fingerprint.js';

export interface ComparisonProgress {
  readonly table: TableName;
  /** Of both sides. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export interface CompareOptions {
  /** Default: all tables. A partitioned table stands for its leaves. */
  readonly tables?: readonly TableName[];
  /** Name of a snapshot exported on the source; the comparison shows the source as it was then. */
  readonly sourceSnapshot?: string;
  /** Compares with so many sessions on each side; further ones are opened at these endpoints. Default: one. */
  readonly parallel?: { readonly sessionCount: number; readonly source: Endpoint; readonly target: Endpoint };
  /** Also compares what sequences will give next; default false, as replication sets them at the end only. */
  readonly sequences?: boolean;
  /** How many differing rows of a table are named; default 5. */
  readonly differingRowsMax?: number;
  /** Size of the pieces that a table is hashed in, from PostgreSQL 14 on; default 256 MiB. */
  readonly chunkBytes?: number;
  readonly onProgress?: (progress: ComparisonProgress) => void;
  readonly signal?: AbortSignal;
}

const DIFFERING_ROWS_MAX = 5;
/** PostgreSQL 12 prints floats in their shortest exact form. */
const SHORTEST_FLOATS_MAJOR = 12;

/**
 * Compares the content of every table. Hashes are computed in the databases, on both at the same time; rows cross the
 * wire only where they differ. Both sessions must be free of a transaction, and are so again at the end.
 */
export async function compareDatabases(
  source: Client,
  target: Client,
  options: CompareOptions = {},
): Promise<ComparisonReport> {
  const { parallel } = options;
  const sessionCount = parallel?.sessionCount ?? 1;
  await using sides = new AsyncDisposableStack();
  const sourceSide = sides.use(
    await openSide(source, { sessionCount, endpoint: parallel?.source, snapshotName: options.sourceSnapshot }),
  );
  const targetSide = sides.use(await openSide(target, { sessionCount, endpoint: parallel?.target }));
  const [sourceTables, targetTables] = await Promise.all([
    readComparableTables(source, options.tables),
    readComparableTables(target, options.tables),
  ]);
  const { pairs, onlyInSource, onlyInTarget } = pairTables(sourceTables, targetTables);
  refuseUnknownTables(options.tables, [...sourceTables, ...targetTables]);

  const tables: TableComparison[] = [
    ...onlyInSource.map((table) => ({ kind: 'only-in-source', table }) as const),
    ...onlyInTarget.map((table) => ({ kind: 'only-in-target', table }) as const),
    ...(await comparePairs({ source: sourceSide, target: targetSide }, pairs, options)),
  ];
  const sequences = options.sequences ? await compareSequences(source, target) : [];
  return {
    equal: sequences.length === 0 && tables.every(({ kind }) => kind === 'equal'),
    rowCount: tables.reduce((sum, table) => sum + (table.kind === 'equal' ? table.rowCount : 0n), 0n),
    tables: tables.toSorted((a, b) => (tableKey(a.table) < tableKey(b.table) ? -1 : 1)),
    sequences,
  };
}

/** Comparing nothing must not look like equality. A partitioned table without leaves is known by neither side. */
function refuseUnknownTables(asked: readonly TableName[] | undefined, found: readonly ComparableTable[]): void {
  if (asked === undefined || asked.length === 0 || found.length > 0) return;
  const names = asked.map(({ schema, name }) => `${schema}.${name}`).join(', ');
  throw new SluiceError('SLUICE-6002', { detail: `no such table on either side: ${names}` });
}

interface Sides {
  readonly source: ComparisonSide;
  readonly target: ComparisonSide;
}

async function comparePairs(
  sides: Sides,
  pairs: readonly TablePair[],
  options: CompareOptions,
): Promise<TableComparison[]> {
  const comparisons: TableComparison[] = pairs.flatMap((pair) => compareColumns(pair) ?? []);
  const comparable = pairs.filter((pair) => compareColumns(pair) === null);
  const form = textForm(sides);
  const fingerprints = await fingerprintBoth(sides, comparable, { ...options, form });
  for (const pair of comparable) {
    const key = tableKey(pair.source.name);
    const source = fingerprints.source.get(key) ?? EMPTY_FINGERPRINT;
    const target = fingerprints.target.get(key) ?? EMPTY_FINGERPRINT;
    const table = pair.source.name;
    if (equalFingerprints(source, target)) {
      comparisons.push({ kind: 'equal', table, rowCount: source.rowCount });
      continue;
    }
    const rows = await findDifferingRows(pair, {
      source: sides.source.sessions[0],
      target: sides.target.sessions[0],
      form,
      rowsMax: options.differingRowsMax ?? DIFFERING_ROWS_MAX,
      signal: options.signal ?? new AbortController().signal,
    });
    comparisons.push({
      kind: 'rows-differ',
      table,
      sourceRowCount: source.rowCount,
      targetRowCount: target.rowCount,
      rows,
    });
  }
  return comparisons;
}

function textForm({ source, target }: Sides): TextForm {
  return {
    floatsAsBits: source.major < SHORTEST_FLOATS_MAJOR !== target.major < SHORTEST_FLOATS_MAJOR,
    encodeAsUtf8: source.encoding !== target.encoding,
  };
}

/** `null` when both have the same columns. */
function compareColumns({ source, target }: TablePair): TableComparison | null {
  const missing = (from: ComparableTable, of: ComparableTable): string[] =>
    of.columns.map(({ name }) => name).filter((name) => !from.columns.some((column) => column.name === name));
  const columnsOnlyInSource = missing(target, source);
  const columnsOnlyInTarget = missing(source, target);
  if (columnsOnlyInSource.length + columnsOnlyInTarget.length === 0) return null;
  return { kind: 'columns-differ', table: source.name, columnsOnlyInSource, columnsOnlyInTarget };
}

async function fingerprintBoth(
  sides: Sides,
  pairs: readonly TablePair[],
  options: CompareOptions & { readonly form: TextForm },
): Promise<Record<'source' | 'target', Map<string, Fingerprint>>> {
  const bytesTotal = pairs.reduce((sum, pair) => sum + pair.source.bytes + pair.target.bytes, 0);
  // When one side fails the other one stops after its current chunk instead of reading on for nobody.
  const failure = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failure.signal]) : failure.signal;
  let bytesDone = 0;
  const run = (side: ComparisonSide, tables: ComparableTable[]): Promise<Map<string, Fingerprint>> =>
    fingerprintTables(side, tables, {
      form: options.form,
      chunkBytes: options.chunkBytes ?? CHUNK_BYTES,
      signal,
      onChunk: (chunk) => {
        bytesDone += chunk.bytes;
        options.onProgress?.({ table: chunk.table.name, bytesDone, bytesTotal });
      },
    }).catch((error: unknown) => {
      failure.abort();
      throw error;
    });
  const results = await Promise.allSettled([
    run(
      sides.source,
      pairs.map((pair) => pair.source),
    ),
    run(
      sides.target,
      pairs.map((pair) => pair.target),
    ),
  ]);
  const [source, target] = results;
  if (source.status === 'fulfilled' && target.status === 'fulfilled') {
    return { source: source.value, target: target.value };
  }
  options.signal?.throwIfAborted();
  const reasons: unknown[] = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  // The abort that we caused ourselves says nothing.
  throw reasons.find((reason) => !(reason instanceof Error && reason.name === 'AbortError')) ?? reasons[0];
}
