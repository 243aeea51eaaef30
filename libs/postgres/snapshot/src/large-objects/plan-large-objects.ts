import { type LargeObjectFacts, type LargeObjectRun, type QualifiedName } from '@sluice/postgres-catalog';
import { randomUUID } from 'node:crypto';
import { type ChunkPlan } from '../plan-chunks.js';

/**
 * All large objects of a database are one table in the ledger, whose chunks are ranges of OIDs in place of blocks. No
 * table of a task has its name: those of the server's own schemas are never transferred.
 */
export const LARGE_OBJECTS: QualifiedName = { schema: 'pg_catalog', name: 'pg_largeobject' };

export function areLargeObjects({ schema, name }: QualifiedName): boolean {
  return schema === LARGE_OBJECTS.schema && name === LARGE_OBJECTS.name;
}

/** Each may take a lock until its chunk ends (owner, comment, privileges, removal), and a server has few thousand for all. */
export const OBJECTS_PER_TRANSACTION = 200;

/** How many large objects make a chunk. One is never divided. */
export function objectsPerChunk({ count, bytes }: LargeObjectFacts, chunkBytes: number): number {
  const averageBytes = Math.max(1, bytes / Math.max(1, count));
  return Math.min(OBJECTS_PER_TRANSACTION, Math.max(1, Math.floor(chunkBytes / averageBytes)));
}

/** The runs as chunks; without any there is an empty one, so that what was begun can be done. */
export function planLargeObjectChunks(
  runs: readonly LargeObjectRun[],
  { count, bytes }: LargeObjectFacts,
): ChunkPlan[] {
  const averageBytes = bytes / Math.max(1, count);
  return Array.from({ length: Math.max(1, runs.length) }, (_, position) => ({
    chunkId: randomUUID(),
    position,
    fromBlock: position === 0 ? null : (runs[position]?.fromOid ?? null),
    toBlock: runs[position + 1]?.fromOid ?? null,
    columns: [],
    isBinary: false,
    ownsTable: false,
    estimatedBytes: Math.round(averageBytes * (runs[position]?.count ?? 0)),
  }));
}
