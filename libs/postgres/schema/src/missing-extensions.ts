import { quoteIdentifier } from '@sluice/postgres-client';
import { type LeftOut } from './leave-out.js';
import { identityOf, type SchemaObject } from './schema-object.js';
import { type TargetFacts } from './target-facts.js';

/** Extensions that the machine of the target does not have. */
export function findMissingExtensions(objects: readonly SchemaObject[], target: TargetFacts): LeftOut[] {
  return objects
    .filter(({ kind, address }) => kind === 'extension' && !isAvailable(address, target))
    .map((object) => ({
      key: object.key,
      kind: object.kind,
      identity: identityOf(object),
      reason: 'it is not installed on the machine of the target',
    }));
}

function isAvailable(address: string, { extensions }: TargetFacts): boolean {
  return extensions === null || [...extensions.keys()].some((name) => address === `EXTENSION ${quoteIdentifier(name)}`);
}
