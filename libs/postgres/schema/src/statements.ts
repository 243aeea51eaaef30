import { type OrderedObjects } from './dependency-order.js';
import { type Statement } from './plan.js';
import { identityOf, type SchemaObject, STAGES } from './schema-object.js';

export interface PlannedObjects {
  readonly ordered: OrderedObjects;
  /** All that is created, ordered or not. */
  readonly objects: readonly SchemaObject[];
  /** Owners, comments and privileges. */
  readonly attributes: readonly SchemaObject[];
}

/** Lays the objects out as the statements of the two phases, numbering the groups of the second. */
export function toStatements({ ordered, objects, attributes }: PlannedObjects): {
  preData: Statement[];
  postData: Statement[];
} {
  const late = new Set(ordered.late.map(({ key }) => key));
  const isEarly = ({ stage }: SchemaObject): boolean => stage === 'pre';
  const early = [...ordered.early, ...attributes.filter((object) => isEarly(object) && !ownsLate(object, late))];
  const rest = [
    ...ordered.late.map((object, lane) => ({ ...object, stage: 'late' as const, lane, phase: 'other' as const })),
    ...objects
      .filter((object) => !isEarly(object))
      .map((object) => (needsLate(object, late) ? afterLate(object) : object)),
    ...attributes.filter((object) => !isEarly(object)),
    ...attributes
      .filter((object) => isEarly(object) && ownsLate(object, late))
      .map((object) => ({ ...object, stage: 'owner' as const })),
    ...refreshes(ordered),
  ].filter(({ sql }) => sql !== '');
  return { preData: early.map((object) => toStatement(object, 0)), postData: inGroups(rest) };
}

/** `owner <key>` of an object that is created late. */
function ownsLate({ key }: SchemaObject, late: ReadonlySet<string>): boolean {
  return late.has(key.replace(/^owner /, ''));
}

function needsLate({ needs }: SchemaObject, late: ReadonlySet<string>): boolean {
  return (needs ?? []).some((key) => late.has(key));
}

/** The index of a materialized view that is itself late. */
function afterLate(object: SchemaObject): SchemaObject {
  return { ...object, stage: 'late-index', lane: object.stage === 'index' ? 0 : 1 };
}

function refreshes({ early, late, refreshDepth }: OrderedObjects): SchemaObject[] {
  return [...early, ...late]
    .filter(({ kind }) => kind === 'materialized view')
    .map(({ key, address }) => ({
      key: `refresh ${key}`,
      kind: 'rows of materialized view',
      address,
      stage: 'refresh',
      lane: refreshDepth.get(key) ?? 0,
      phase: 'refresh',
      sql: `REFRESH ${address}`,
    }));
}

/** A group per stage and lane, numbered from 1 without gaps. */
function inGroups(objects: readonly SchemaObject[]): Statement[] {
  const rank = ({ stage, lane }: SchemaObject): [number, number] => [STAGES.indexOf(stage), lane ?? 0];
  const sorted = objects.toSorted((a, b) => {
    const [[stageA, laneA], [stageB, laneB]] = [rank(a), rank(b)];
    return stageA - stageB || laneA - laneB;
  });
  let group = 0;
  let previous = '';
  return sorted.map((object) => {
    const current = rank(object).join();
    if (current !== previous) group += 1;
    previous = current;
    return toStatement(object, group);
  });
}

function toStatement(object: SchemaObject, group: number): Statement {
  return {
    kind: object.kind,
    identity: identityOf(object),
    sql: object.sql,
    group,
    ...(object.table && { table: object.table }),
    ...(object.phase && { phase: object.phase }),
    ...(object.claims !== undefined && { claims: object.claims }),
  };
}
