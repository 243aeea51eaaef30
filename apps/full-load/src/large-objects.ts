import { readLargeObjectFacts, readLargeObjectRuns, readTakenLargeObjects } from '@sluice/postgres-catalog';
import { type ChunkPlan, objectsPerChunk, planLargeObjectChunks } from '@sluice/postgres-snapshot';
import { type Load } from './load-context.js';

/** They belong to no schema and to no table: only who takes a database takes them along. */
function areWanted({ judge }: Pick<Load, 'judge'>): boolean {
  return judge.level === 'database';
}

/** Under the snapshot. None when there are no large objects, unless some were begun under an earlier one. */
export async function readLargeObjectChunks(
  load: Load,
  { wereStarted }: { readonly wereStarted: boolean },
): Promise<ChunkPlan[]> {
  if (!areWanted(load)) return [];
  const facts = await readLargeObjectFacts(load.source);
  if (facts.count === 0 && !wereStarted) return [];
  const runs = await readLargeObjectRuns(load.source, objectsPerChunk(facts, load.chunkBytes));
  return planLargeObjectChunks(runs, facts);
}

/** As `large object 16402`: those whose OID the target gave to another one. */
export async function findLargeObjectCollisions(load: Load): Promise<string[]> {
  if (!areWanted(load)) return [];
  const taken = await readTakenLargeObjects(load.source, load.target);
  return taken.map((oid) => `large object ${oid}`);
}
