import { type TableName } from '@sluice/contracts';
import { type Client, quoteQualified } from '@sluice/postgres-client';
import { type ComparableColumn, type ComparableTable, tableKey } from './comparable-tables.js';
import { type ComparisonSide } from './comparison-side.js';
import {
  addFingerprints,
  EMPTY_FINGERPRINT,
  type Fingerprint,
  FINGERPRINT_COLUMNS,
  type FingerprintRow,
  parseFingerprint,
  rowHash,
  type TextForm,
} from './row-expression.js';

/** About a second of hashing: often enough for progress and for an order to stop. */
export const CHUNK_BYTES = 256 * 1024 * 1024;
/** Since then a range of ctid is read by a scan of just these blocks; before, each chunk would read the whole table. */
const CTID_RANGE_MAJOR = 14;

/** A range of heap blocks; the last one of a table is open, as the table may have grown since it was planned. */
export interface HashChunk {
  readonly table: ComparableTable;
  readonly fromBlock: number;
  readonly toBlock: number | null;
  readonly bytes: number;
}

/** Cuts a table in chunks of about the same size; TOAST counts, so tables with wide values get shorter ranges. */
export function planHashChunks(
  table: ComparableTable,
  { major, chunkBytes }: { readonly major: number; readonly chunkBytes: number },
): HashChunk[] {
  const chunkCount = major < CTID_RANGE_MAJOR ? 1 : Math.max(1, Math.ceil(table.bytes / chunkBytes));
  const blocksPerChunk = Math.max(1, Math.ceil(table.blocks / chunkCount));
  const chunks: HashChunk[] = [];
  for (let fromBlock = 0; fromBlock === 0 || fromBlock < table.blocks; fromBlock += blocksPerChunk) {
    const toBlock = fromBlock + blocksPerChunk < table.blocks ? fromBlock + blocksPerChunk : null;
    chunks.push({ table, fromBlock, toBlock, bytes: 0 });
  }
  return chunks.map((chunk) => ({ ...chunk, bytes: table.bytes / chunks.length }));
}

export interface FingerprintOptions {
  readonly form: TextForm;
  readonly chunkBytes: number;
  readonly signal: AbortSignal;
  readonly onChunk: (chunk: HashChunk) => void;
}

/** The fingerprint of every table, by `tableKey`. All sessions of the side take chunks from one list. */
export async function fingerprintTables(
  side: ComparisonSide,
  tables: readonly ComparableTable[],
  options: FingerprintOptions,
): Promise<Map<string, Fingerprint>> {
  const chunks = tables
    .flatMap((table) => planHashChunks(table, { major: side.major, chunkBytes: options.chunkBytes }))
    [Symbol.iterator]();
  const fingerprints = new Map(tables.map(({ name }) => [tableKey(name), EMPTY_FINGERPRINT]));
  const work = async (session: Client): Promise<void> => {
    for (const chunk of chunks) {
      options.signal.throwIfAborted();
      const key = tableKey(chunk.table.name);
      const fingerprint = await fingerprintChunk(session, chunk, options.form);
      fingerprints.set(key, addFingerprints(fingerprints.get(key) ?? EMPTY_FINGERPRINT, fingerprint));
      options.onChunk(chunk);
    }
  };
  await Promise.all(side.sessions.map(work));
  return fingerprints;
}

async function fingerprintChunk(session: Client, chunk: HashChunk, form: TextForm): Promise<Fingerprint> {
  const { columns, name } = chunk.table;
  const isWhole = chunk.fromBlock === 0 && chunk.toBlock === null;
  const bounds = [`(${chunk.fromBlock},0)`, ...(chunk.toBlock === null ? [] : [`(${chunk.toBlock},0)`])];
  const { rows } = await session.query<FingerprintRow>(
    `SELECT ${FINGERPRINT_COLUMNS}
     FROM (${hashedRows(name, { h: rowHash(columns, form) }, isWhole ? '' : ctidRange(chunk))}) AS hashed`,
    isWhole ? [] : bounds,
  );
  return rows[0] ? parseFingerprint(rows[0]) : EMPTY_FINGERPRINT;
}

function ctidRange(chunk: HashChunk): string {
  return `WHERE t.ctid >= $1::tid${chunk.toBlock === null ? '' : ' AND t.ctid < $2::tid'}`;
}

/** `SELECT expression AS name, … FROM ONLY table`: without ONLY the rows of inheriting tables would count twice. */
export function hashedRows(table: TableName, hashes: Readonly<Record<string, string>>, where = ''): string {
  const list = Object.entries(hashes).map(([name, expression]) => `${expression} AS ${name}`);
  // OFFSET 0 keeps the planner from merging the query into the outer one, which would compute each hash twice.
  return `SELECT ${list.join(', ')} FROM ONLY ${quoteQualified(table.schema, table.name)} AS t ${where} OFFSET 0`;
}

/** The columns that form the key, in the order of the key. */
export function keyColumnsOf(table: ComparableTable): ComparableColumn[] {
  return table.keyColumns.flatMap((name) => table.columns.filter((column) => column.name === name));
}
