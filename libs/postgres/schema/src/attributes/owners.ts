import { quoteIdentifier, quoteLiteral } from '@sluice/postgres-client';
import { type UnsupportedObject } from '../plan.js';
import { type SchemaObject } from '../schema-object.js';
import { type TargetFacts } from '../target-facts.js';

/** ALTER … OWNER TO for owners that the connecting role may give objects to; the others are reported, once per role. */
export function planOwners(
  objects: readonly SchemaObject[],
  target: TargetFacts,
): { objects: SchemaObject[]; unsupported: UnsupportedObject[] } {
  const owned = objects.filter(({ owner }) => owner !== undefined && owner !== target.currentUser);
  const missing = new Map<string, { role: string; reason: string; count: number }>();
  const changes = owned.flatMap((object) => {
    const role = object.owner ?? '';
    const reason = obstacleTo(object, role, target);
    if (reason === null) return [toOwnerChange(object, role, target)];
    const key = JSON.stringify([role, reason]);
    missing.set(key, { role, reason, count: (missing.get(key)?.count ?? 0) + 1 });
    return [];
  });
  return {
    objects: changes,
    unsupported: [...missing.values()].map(({ role, reason, count }) => ({
      kind: 'owner',
      identity: `role ${quoteIdentifier(role)}`,
      reason: `${reason}; ${target.currentUser} owns its ${count} objects instead`,
    })),
  };
}

/** An owner must be allowed to create where the object is, unless a superuser makes it the owner. */
function obstacleTo(object: SchemaObject, owner: string, target: TargetFacts): string | null {
  if (!target.roles.has(owner)) return 'it is missing on the target';
  if (!target.assumableRoles.has(owner)) return 'the connecting role is no member of it';
  const place = placeOf(object);
  if (place === null) return null;
  const creators = place.kind === 'database' ? target.creators.ofSchemas : target.creators.inSchema.get(place.name);
  if (!creators || creators.has(owner)) return null;
  const where = place.kind === 'database' ? 'the database' : `schema ${quoteIdentifier(place.name)}`;
  return `the connecting role cannot let it create in ${where}`;
}

type Place = { readonly kind: 'database' } | { readonly kind: 'schema'; readonly name: string };

/** Where an object is, if that decides about its owner. */
function placeOf({ kind, address }: SchemaObject): Place | null {
  if (kind === 'schema') return { kind: 'database' };
  const [, name] = /^[A-Z ]+ "((?:[^"]|"")+)"\./.exec(address) ?? [];
  return name === undefined ? null : { kind: 'schema', name: name.replaceAll('""', '"') };
}

function toOwnerChange(object: SchemaObject, owner: string, target: TargetFacts): SchemaObject {
  const stage = object.stage === 'pre' || object.stage === 'event-trigger' ? object.stage : 'owner';
  const change = `ALTER ${object.address} OWNER TO ${quoteIdentifier(owner)}`;
  const place = placeOf(object);
  return {
    key: `owner ${object.key}`,
    kind: `owner of ${object.kind}`,
    address: object.address,
    stage,
    lane: 1,
    phase: 'other',
    sql: target.isSuperuser || place === null ? change : whileAllowed(change, owner, lendingOf(place, target)),
    ...(object.table && { table: object.table }),
  };
}

/** Two sessions that grant on the same schema at the same time make one of them fail. */
const GRANT_LOCK = 7_238_901_554;

/** The privilege is lent where the owner lacks it; its own ones follow with those of all roles. */
function whileAllowed(change: string, owner: string, { on, test }: Lending): string {
  const role = quoteIdentifier(owner);
  return `DO ${quoteLiteral(`BEGIN
    IF ${test(quoteLiteral(owner))} THEN ${change};
    ELSE
      PERFORM pg_catalog.pg_advisory_xact_lock(${GRANT_LOCK});
      GRANT CREATE ON ${on} TO ${role};
      ${change};
      REVOKE CREATE ON ${on} FROM ${role};
    END IF;
  END`)}`;
}

interface Lending {
  readonly on: string;
  /** Whether a role has it already. */
  readonly test: (role: string) => string;
}

function lendingOf(place: Place, { databaseName }: TargetFacts): Lending {
  if (place.kind === 'database') {
    const test = (role: string): string =>
      `pg_catalog.has_database_privilege(${role}, ${quoteLiteral(databaseName)}, 'CREATE')`;
    return { on: `DATABASE ${quoteIdentifier(databaseName)}`, test };
  }
  const test = (role: string): string =>
    `pg_catalog.has_schema_privilege(${role}, ${quoteLiteral(place.name)}, 'CREATE')`;
  return { on: `SCHEMA ${quoteIdentifier(place.name)}`, test };
}
