import { type LeftOut } from './leave-out.js';
import { identityOf, type SchemaObject } from './schema-object.js';
import { type TargetFacts } from './target-facts.js';

/** What the connecting role of the target may not create for want of being a superuser. */
export function findSuperuserObjects(objects: readonly SchemaObject[], target: TargetFacts): LeftOut[] {
  if (target.isSuperuser) return [];
  return objects
    .filter(({ needsSuperuser }) => needsSuperuser)
    .map((object) => ({
      key: object.key,
      kind: object.kind,
      identity: identityOf(object),
      reason: 'only a superuser may create it, and the connecting role of the target is none',
    }));
}
