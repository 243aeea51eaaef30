import { SluiceError } from '@sluice/contracts';
import { present } from '@sluice/kernel';
import { readSelectedTables, type TableFacts } from '@sluice/postgres-catalog';
import { inTransaction, quoteQualified } from '@sluice/postgres-client';
import {
  applyPreData,
  createRoles,
  findCollisions,
  readStructure,
  readTargetFacts,
  type StructureOptions,
  type StructurePlan,
  withRoles,
} from '@sluice/postgres-schema';
import {
  beginUnderSnapshot,
  type NewBuildStep,
  readLoad,
  recordBrought,
  recordRoles,
  recordStructure,
} from '@sluice/postgres-snapshot';
import { chooseRoles, type ChosenRoles } from './choose-roles.js';
import { findLargeObjectCollisions } from './large-objects.js';
import { type Load } from './load-context.js';

/** More names would not help a person. */
const COLLISIONS_SHOWN_MAX = 20;

/** @throws SluiceError 3002 when the target has objects of the names that are needed, 3007 when the selection is not closed. */
export async function refuseCollisions(load: Load): Promise<void> {
  const { source, target, roles, judge } = load;
  const facts = await readTargetFacts(target);
  const plan = await inTransaction(source, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', () =>
    readStructure(source, { target: facts, roles, judge }),
  );
  requireClosed(plan);
  const taken = [...(await findCollisions(target, plan)), ...(await findLargeObjectCollisions(load))];
  if (taken.length === 0) return;
  const more = taken.length > COLLISIONS_SHOWN_MAX ? ` and ${taken.length - COLLISIONS_SHOWN_MAX} more` : '';
  throw new SluiceError('SLUICE-3002', { detail: `${taken.slice(0, COLLISIONS_SHOWN_MAX).join(', ')}${more}` });
}

/** What was selected changes on the source, also after it was checked. */
function requireClosed({ missing }: StructurePlan): void {
  if (missing.length === 0) return;
  const names = missing
    .slice(0, COLLISIONS_SHOWN_MAX)
    .map(({ schema, name, neededBy }) => `${quoteQualified(schema, name)} (needed by ${neededBy})`);
  const more = missing.length > COLLISIONS_SHOWN_MAX ? ` and ${missing.length - COLLISIONS_SHOWN_MAX} more` : '';
  throw new SluiceError('SLUICE-3007', { detail: `${names.join(', ')}${more}` });
}

/**
 * Creates what the rows need, and notes what has to be built after them, in one transaction: after a crash there is
 * all of it or nothing.
 */
export async function transferStructure(load: Load): Promise<void> {
  const { source, target, taskId, judge, log } = load;
  const record = present(await readLoad(target, taskId), 'the load in the ledger');
  await beginUnderSnapshot(source, present(record.snapshot, 'the snapshot in the ledger'));
  const chosen = await chooseRoles(load);
  const plan = await readStructure(source, await structureOptions(load, chosen));
  const tables = await readSelectedTables(source, judge);
  await source.query('COMMIT');
  requireClosed(plan);
  for (const { identity, reason } of plan.unsupported) log.warn({ identity, reason }, 'object is not transferred');
  await recordStructure(target, taskId, {
    createStructure: async () => {
      // First, as owners and privileges need them. What is cluster-wide is transactional, too.
      if (chosen) await recordRoles(target, taskId, await createRoles(target, chosen.plan, chosen.passwords));
      await applyPreData(target, plan);
      await recordBrought(target, taskId, plan.brought);
    },
    structureLsn: record.consistentLsn,
    steps: [...structureSteps(plan), ...analyzeSteps(plan, tables)],
  });
}

/** Owners and privileges follow for roles that the target has, unless the deployment wants none, and for those that the task brings. */
async function structureOptions({ target, roles, judge }: Load, chosen: ChosenRoles | null): Promise<StructureOptions> {
  const facts = await readTargetFacts(target);
  if (!chosen) return { target: facts, roles, judge };
  const others = roles === 'none' ? { roles: new Set<string>(), assumableRoles: new Set<string>() } : {};
  const names = chosen.plan.roles.map(({ name }) => name);
  return { target: withRoles({ ...facts, ...others }, names, chosen.plan.wishes), roles: 'existing', judge };
}

/** Groups depend on those before them, so the first step that looks across tables makes all from its group on wait. */
function structureSteps({ postData }: StructurePlan): NewBuildStep[] {
  const lookAcross = postData.filter(({ phase }) => phase === 'foreign-key' || phase === 'refresh');
  const joinGroup = Math.min(...lookAcross.map(({ group }) => group));
  return postData.map(({ group, identity, sql }) => ({ group, identity, sql, awaitsJoin: group >= joinGroup }));
}

/** Smaller tables share a step, as the way to a worker and back would take longer than their ANALYZE. */
const SHARED_STEP_BYTES = 16 * 1024 * 1024;
const SHARED_STEP_TABLES_MAX = 100;

/**
 * The last group: statistics, for a target that plans well from its first query. A partitioned table has statistics of
 * its own, and analyzing it covers its partitions.
 */
function analyzeSteps(plan: StructurePlan, tables: readonly TableFacts[]): NewBuildStep[] {
  const group = Math.max(0, ...plan.postData.map((statement) => statement.group)) + 1;
  const steps: TableFacts[][] = [];
  let shared: TableFacts[] = [];
  for (const table of tables.filter(({ isPartition }) => !isPartition)) {
    const isLarge = table.kind === 'partitioned' || table.heapBytes > SHARED_STEP_BYTES;
    if (isLarge) steps.unshift([table]);
    else {
      if (shared.length % SHARED_STEP_TABLES_MAX === 0) steps.push((shared = []));
      shared.push(table);
    }
  }
  return steps.map((members) => ({
    group,
    identity: `statistics of ${members.length === 1 ? nameOf(present(members[0], 'table')) : `${members.length} tables`}`,
    sql: members.map((table) => `ANALYZE ${nameOf(table)}`).join('; '),
    awaitsJoin: false,
  }));
}

function nameOf({ schema, name }: TableFacts): string {
  return quoteQualified(schema, name);
}
