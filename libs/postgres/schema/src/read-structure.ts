import { type ObjectJudge } from '@sluice/model';
import { type QualifiedName, readVersionNum } from '@sluice/postgres-catalog';
import { quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import { type ClientBase } from 'pg';
import { readComments } from './attributes/comments.js';
import { readDefaultPrivileges } from './attributes/default-privileges.js';
import { planOwners } from './attributes/owners.js';
import { readPrivileges } from './attributes/privileges.js';
import { readAllDependencies, readDependencies } from './dependencies.js';
import { orderObjects } from './dependency-order.js';
import { readForeignKeys } from './finish/foreign-keys.js';
import { readIndexes } from './finish/indexes.js';
import { readPolicies, readTableSettings } from './finish/policies.js';
import { readRules } from './finish/rules.js';
import { readStatistics } from './finish/statistics.js';
import { readEventTriggers, readTriggers } from './finish/triggers.js';
import { readAggregates } from './objects/aggregates.js';
import { readCasts } from './objects/casts.js';
import { readCollations } from './objects/collations.js';
import { readConversions, readTransforms } from './objects/conversions.js';
import { readExtensions } from './objects/extensions.js';
import { readFunctions } from './objects/functions.js';
import { readLooseFamilyMembers, readOperatorClasses, readOperatorFamilies } from './objects/operator-classes.js';
import { readOperators } from './objects/operators.js';
import { readSchemas } from './objects/schemas.js';
import { readIdentitySequences, readSequences } from './objects/sequences.js';
import { readTables } from './objects/tables.js';
import { readTextSearch } from './objects/text-search.js';
import { readTypes } from './objects/types.js';
import { readViews } from './objects/views.js';
import { type StructurePlan, type UnsupportedObject } from './plan.js';
import { identityOf, type SchemaObject, type Source } from './schema-object.js';
import { readFoundObjects } from './select/object-names.js';
import { type ProposedClosure, proposeClosure } from './select/propose-closure.js';
import { selectObjects } from './select/select-objects.js';
import { toStatements } from './statements.js';
import { type TargetFacts } from './target-facts.js';
import { readUnsupported } from './unsupported.js';

export interface StructureOptions {
  readonly target: TargetFacts;
  /** `existing`: owners and privileges of roles that the target has; `none`: everything belongs to the connecting role. */
  readonly roles: 'existing' | 'none';
  /** Which objects are wanted; default: all. */
  readonly judge?: ObjectJudge;
}

interface Part {
  readonly objects: readonly SchemaObject[];
  readonly unsupported: readonly UnsupportedObject[];
}

/**
 * Reads the structure of a database and plans its creation elsewhere. The session must be in a REPEATABLE READ, READ
 * ONLY transaction with an empty search_path, or names come out unqualified and the parts may not fit together.
 */
export async function readStructure(client: ClientBase, options: StructureOptions): Promise<StructurePlan> {
  const source: Source = { client, versionNum: await readVersionNum(client) };
  const created = await readCreated(source, options);
  const wanted = await selectWanted(source, created.objects, options);
  const { objects, unsupported: unavailable } = availableOf(wanted, options.target);
  const ordered = orderObjects(objects, await readDependencies(source));
  const attributes = await readAttributes(source, { ...wanted, objects }, options);
  const unsupported = [...created.unsupported, ...(await readUnsupported(source))].filter(wanted.isWanted);
  return {
    ...toStatements({ ordered, objects, attributes: attributes.objects }),
    unsupported: [...unavailable, ...unsupported, ...attributes.unsupported],
    missing: wanted.missing,
    brought: wanted.brought,
  };
}

/** What a selection needs besides, in the same kind of transaction. */
export async function readClosure(
  client: ClientBase,
  { judge, target }: { readonly judge: ObjectJudge; readonly target: TargetFacts },
): Promise<ProposedClosure> {
  const source: Source = { client, versionNum: await readVersionNum(client) };
  const { objects } = await readCreated(source, { target, roles: 'none' });
  const found = await readFoundObjects(source, judge);
  return proposeClosure(objects, { judge, found, edges: await readAllDependencies(source) });
}

interface Wanted extends Pick<StructurePlan, 'missing' | 'brought'> {
  readonly objects: readonly SchemaObject[];
  /** What cannot be created is told only where it was wanted. */
  readonly isWanted: (unsupported: UnsupportedObject) => boolean;
  readonly hasDefaultsIn: (schema: string | null) => boolean;
}

async function selectWanted(
  source: Source,
  objects: readonly SchemaObject[],
  { judge }: StructureOptions,
): Promise<Wanted> {
  if (!judge || judge.isEverything)
    return { objects, missing: [], brought: [], isWanted: () => true, hasDefaultsIn: () => true };
  const found = await readFoundObjects(source, judge);
  const selected = selectObjects(objects, { judge, found, edges: await readAllDependencies(source) });
  const nameOf = ({ schema, name }: QualifiedName): string => quoteQualified(schema, name);
  // Foreign tables are among them, which are no objects of a plan.
  const relations = new Set([...found.values()].filter((one) => one.isRelation && one.isSelected).map(nameOf));
  return {
    ...selected,
    isWanted: ({ relation }) => (relation ? relations.has(nameOf(relation)) : judge.level === 'database'),
    // They are about objects that are still to come, which join at database level only.
    hasDefaultsIn: (schema) => judge.level === 'database' && (schema === null || selected.schemas.has(schema)),
  };
}

/** Everything that is created. The order is that of kinds; where dependencies leave a choice, it is kept. */
async function readCreated(source: Source, { target }: StructureOptions): Promise<Part> {
  const readers = [
    readSchemas,
    readExtensions,
    readCollations,
    readTypes,
    readFunctions,
    readOperators,
    readOperatorFamilies,
    readOperatorClasses,
    readLooseFamilyMembers,
    readAggregates,
    readCasts,
    readConversions,
    readTransforms,
    readTextSearch,
    readSequences,
    readIdentitySequences,
    readTables,
    readViews,
    readForeignKeys,
    readStatistics,
    readTableSettings,
    readTriggers,
    readRules,
  ];
  const kinds: SchemaObject[][] = [];
  for (const read of readers) kinds.push(await read(source));
  const objects = kinds.flat();
  const rest = [
    await readIndexes(source),
    await readPolicies(source, target.roles),
    await readSuperuserObjects(source, target),
  ];
  return {
    objects: [...objects, ...rest.flatMap((part) => part.objects)],
    unsupported: rest.flatMap((part) => part.unsupported),
  };
}

/** Without the extensions that the target cannot have. */
function availableOf({ objects }: Wanted, target: TargetFacts): Part {
  const missing = objects.filter(({ kind, address }) => kind === 'extension' && !isAvailable(address, target));
  return {
    objects: objects.filter((object) => !missing.includes(object)),
    unsupported: missing.map(({ kind, address }) => ({
      kind,
      identity: identityOf({ kind, address }),
      reason: 'it is not installed on the machine of the target',
    })),
  };
}

function isAvailable(address: string, { extensions }: TargetFacts): boolean {
  return extensions === null || [...extensions.keys()].some((name) => address === `EXTENSION ${quoteIdentifier(name)}`);
}

async function readSuperuserObjects(source: Source, target: TargetFacts): Promise<Part> {
  const triggers = await readEventTriggers(source);
  if (target.isSuperuser) return { objects: triggers, unsupported: [] };
  return {
    objects: [],
    unsupported: triggers.map(({ kind, address }) => ({
      kind,
      identity: identityOf({ kind, address }),
      reason: 'only a superuser may create it, and the connecting role of the target is none',
    })),
  };
}

async function readAttributes(
  source: Source,
  { objects, hasDefaultsIn }: Wanted,
  { roles, target }: StructureOptions,
): Promise<Part> {
  const comments = await readComments(source, objects, target);
  if (roles === 'none') return { objects: comments, unsupported: [] };
  const parts = [
    planOwners(objects, target),
    await readPrivileges(source, objects, target),
    await readDefaultPrivileges(source, target, hasDefaultsIn),
  ];
  return {
    objects: [...comments, ...parts.flatMap((part) => part.objects)],
    unsupported: parts.flatMap((part) => part.unsupported),
  };
}
