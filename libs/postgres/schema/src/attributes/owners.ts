import { quoteIdentifier } from '@sluice/postgres-client';
import { type UnsupportedObject } from '../plan.js';
import { type SchemaObject } from '../schema-object.js';
import { type TargetFacts } from '../target-facts.js';

/** ALTER … OWNER TO for owners that the connecting role may act as; the others are reported, once per role. */
export function planOwners(
  objects: readonly SchemaObject[],
  target: TargetFacts,
): { objects: SchemaObject[]; unsupported: UnsupportedObject[] } {
  const owned = objects.filter(({ owner }) => owner !== undefined && owner !== target.currentUser);
  const missing = new Map<string, number>();
  const changes = owned.flatMap((object) => {
    const owner = object.owner ?? '';
    if (!target.assumableRoles.has(owner)) {
      missing.set(owner, (missing.get(owner) ?? 0) + 1);
      return [];
    }
    return [toOwnerChange(object, owner)];
  });
  return {
    objects: changes,
    unsupported: [...missing].map(([role, count]) => ({
      kind: 'owner',
      identity: `role ${quoteIdentifier(role)}`,
      reason: `${target.roles.has(role) ? 'the connecting role is no member of it' : 'it is missing on the target'}; ${target.currentUser} owns its ${count} objects instead`,
    })),
  };
}

function toOwnerChange(object: SchemaObject, owner: string): SchemaObject {
  const stage = object.stage === 'pre' || object.stage === 'event-trigger' ? object.stage : 'owner';
  return {
    key: `owner ${object.key}`,
    kind: `owner of ${object.kind}`,
    address: object.address,
    stage,
    lane: 1,
    phase: 'other',
    sql: `ALTER ${object.address} OWNER TO ${quoteIdentifier(owner)}`,
    ...(object.table && { table: object.table }),
  };
}
