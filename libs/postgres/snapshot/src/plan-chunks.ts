import { type QualifiedName, type TableFacts } from '@sluice/postgres-catalog';
import { randomUUID } from 'node:crypto';

/** A part of a table that is copied as a unit: blocks `fromBlock` ≤ block < `toBlock`; absent bounds are open. */
export interface ChunkPlan {
  readonly chunkId: string;
  readonly position: number;
  readonly fromBlock: number | null;
  readonly toBlock: number | null;
  readonly columns: readonly string[];
  readonly isBinary: boolean;
  /** Nobody else writes to the table, and it is worth to be written frozen. */
  readonly ownsTable: boolean;
  readonly estimatedBytes: number;
}

export interface ChunkingOptions {
  /** `server_version_num` of the source. */
  readonly sourceVersionNum: number;
  readonly chunkBytes: number;
  /** The same table on the target: binary copies need the same types in both. */
  readonly onTarget: TableFacts | undefined;
}

/** From 14 the server reads a ctid range without going through the rest of the table. */
const CTID_RANGE_SCAN_SINCE = 140_000;

/**
 * Divides a table into chunks that hold each of its rows exactly once. Rows visible to the snapshot stay in their
 * block while the copy holds its lock; the last chunk has no upper bound, as the table may have grown between the
 * snapshot and the moment its size was read.
 */
export function planChunks(table: TableFacts, options: ChunkingOptions): ChunkPlan[] {
  const copied = table.columns.filter(({ isGenerated }) => !isGenerated);
  const common = {
    columns: copied.map(({ name }) => name),
    isBinary: isBinaryPossible(table, options.onTarget),
  };
  const chunkCount = countChunks(table, options);
  const blocksPerChunk = table.heapBlocks / chunkCount;
  return Array.from({ length: chunkCount }, (_, position) => ({
    ...common,
    chunkId: randomUUID(),
    position,
    fromBlock: position === 0 ? null : Math.round(position * blocksPerChunk),
    toBlock: position === chunkCount - 1 ? null : Math.round((position + 1) * blocksPerChunk),
    ownsTable: chunkCount === 1 && table.heapBytes >= FROZEN_FROM_BYTES,
    estimatedBytes: Math.round(table.heapBytes / chunkCount),
  }));
}

/** Below it, the TRUNCATE that allows frozen rows costs more than they save. */
const FROZEN_FROM_BYTES = 1024 * 1024;
/** One worker would be alone with the last of an odd number; four divides well among one, two and four. */
const CHUNK_COUNT_STEP = 4;
/** A table that is hardly larger than a chunk is better off with one worker, who can write it frozen. */
const DIVIDED_FROM_CHUNKS = 1.5;

function countChunks({ heapBytes, heapBlocks }: TableFacts, { sourceVersionNum, chunkBytes }: ChunkingOptions): number {
  const chunks = heapBytes / chunkBytes;
  if (sourceVersionNum < CTID_RANGE_SCAN_SINCE || chunks < DIVIDED_FROM_CHUNKS) return 1;
  return Math.min(heapBlocks, Math.ceil(chunks / CHUNK_COUNT_STEP) * CHUNK_COUNT_STEP);
}

/** Binary form is the same on both servers when each column's type is safe and has the same name on both sides. */
function isBinaryPossible(table: TableFacts, onTarget: TableFacts | undefined): boolean {
  const targetTypes = new Map(onTarget?.columns.map((column) => [column.name, column]));
  return table.columns
    .filter(({ isGenerated }) => !isGenerated)
    .every(({ name, isBinaryCopySafe, typeSchema, typeName }) => {
      const other = targetTypes.get(name);
      return isBinaryCopySafe && other?.typeSchema === typeSchema && other.typeName === typeName;
    });
}

export function tableKey({ schema, name }: QualifiedName): string {
  return JSON.stringify([schema, name]);
}
