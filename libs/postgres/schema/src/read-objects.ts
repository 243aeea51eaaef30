import { readExtensionDependencies } from './finish/extension-dependencies.js';
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
import { readAccessMethods, readLanguages } from './objects/languages.js';
import { readLooseFamilyMembers, readOperatorClasses, readOperatorFamilies } from './objects/operator-classes.js';
import { readOperators } from './objects/operators.js';
import { readSchemas } from './objects/schemas.js';
import { readIdentitySequences, readSequences } from './objects/sequences.js';
import { readTables } from './objects/tables.js';
import { readTextSearch } from './objects/text-search.js';
import { readTypes } from './objects/types.js';
import { readViews } from './objects/views.js';
import { type UnsupportedObject } from './plan.js';
import { type SchemaObject, type Source } from './schema-object.js';
import { type TargetFacts } from './target-facts.js';

export interface Part {
  readonly objects: readonly SchemaObject[];
  readonly unsupported: readonly UnsupportedObject[];
}

/** All that the source has. The order is that of kinds; where dependencies leave a choice, it is kept. */
export async function readObjects(source: Source, target: TargetFacts): Promise<Part> {
  const readers = [
    readSchemas,
    readExtensions,
    readLanguages,
    readAccessMethods,
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
    readEventTriggers,
    readExtensionDependencies,
  ];
  const kinds: SchemaObject[][] = [];
  for (const read of readers) kinds.push(await read(source));
  const [indexes, policies] = [await readIndexes(source), await readPolicies(source, target.roles)];
  return {
    objects: [...kinds.flat(), ...indexes.objects, ...policies.objects],
    unsupported: [...indexes.unsupported, ...policies.unsupported],
  };
}
