import { type ObjectJudge } from '@sluice/model';
import { type QualifiedName } from '@sluice/postgres-catalog';
import { quoteQualified } from '@sluice/postgres-client';
import { type DependencyEdge } from '../dependencies.js';
import { type StructurePlan, type UnsupportedObject } from '../plan.js';
import { type SchemaObject, type Source } from '../schema-object.js';
import { readFoundObjects } from './object-names.js';
import { selectObjects } from './select-objects.js';

export interface Wanted extends Pick<StructurePlan, 'missing' | 'brought'> {
  readonly objects: readonly SchemaObject[];
  /** What cannot be created is told only where it was wanted. */
  readonly isWanted: (unsupported: Pick<UnsupportedObject, 'relation'>) => boolean;
  readonly hasDefaultsIn: (schema: string | null) => boolean;
  /** Rights on what every database has come along. */
  readonly withRightsOnInitial: boolean;
}

/** All objects, or those that the selection takes. */
export async function selectWanted(
  source: Source,
  { objects, edges }: { readonly objects: readonly SchemaObject[]; readonly edges: readonly DependencyEdge[] },
  judge: ObjectJudge | undefined,
): Promise<Wanted> {
  if (!judge || judge.isEverything) {
    return {
      objects,
      missing: [],
      brought: [],
      isWanted: () => true,
      hasDefaultsIn: () => true,
      withRightsOnInitial: true,
    };
  }
  const found = await readFoundObjects(source, judge);
  const selected = selectObjects(objects, { judge, found, edges });
  const nameOf = ({ schema, name }: QualifiedName): string => quoteQualified(schema, name);
  // Foreign tables are among them, which are no objects of a plan.
  const relations = new Set([...found.values()].filter((one) => one.isRelation && one.isSelected).map(nameOf));
  return {
    ...selected,
    isWanted: ({ relation }) => (relation ? relations.has(nameOf(relation)) : judge.level === 'database'),
    // They are about objects that are still to come, which join at database level only.
    hasDefaultsIn: (schema) => judge.level === 'database' && (schema === null || selected.schemas.has(schema)),
    withRightsOnInitial: judge.level === 'database',
  };
}
