import { type Client, inTransaction } from '@sluice/postgres-client';
import {
  applyPreData,
  readStructure,
  readTargetFacts,
  type Statement,
  type StructurePlan,
} from '@sluice/postgres-schema';
import { type TestDatabase } from './test-database.js';

/** Names in plans are qualified, and are read and run so. */
export const PLAN_SETTINGS = { search_path: '' };
/** As many as can meet in a deadlock, if the statements of a group were not independent. */
const WORKERS = 4;

export async function planStructure(source: TestDatabase, target: TestDatabase): Promise<StructurePlan> {
  const facts = await readTargetFacts(await target.connect());
  const client = await source.connect(PLAN_SETTINGS);
  return inTransaction(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', () =>
    readStructure(client, { target: facts, roles: 'existing' }),
  );
}

/** Runs the plan as a load does: the first phase in a transaction, the second group by group with several workers. */
export async function transferStructure(source: TestDatabase, target: TestDatabase): Promise<StructurePlan> {
  const structure = await planStructure(source, target);
  const client = await target.connect(PLAN_SETTINGS);
  await inTransaction(client, 'BEGIN', () => applyPreData(client, structure));
  const workers = await Promise.all(Array.from({ length: WORKERS }, () => target.connect(PLAN_SETTINGS)));
  for (const statements of Map.groupBy(structure.postData, ({ group }) => group).values()) {
    const left = [...statements];
    await Promise.all(workers.map((worker) => runStatements(worker, left)));
  }
  return structure;
}

/** Takes statements until none is left. */
export async function runStatements(worker: Client, left: Statement[]): Promise<void> {
  for (let next = left.shift(); next; next = left.shift()) {
    const { identity, sql } = next;
    await worker.query(sql).catch((error: unknown) => {
      throw new Error(`${identity}: ${sql}`, { cause: error });
    });
  }
}
