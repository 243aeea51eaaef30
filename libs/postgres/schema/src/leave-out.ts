import { type DependencyEdge } from './dependencies.js';
import { type UnsupportedObject } from './plan.js';
import { identityOf, type ObjectKey, type SchemaObject } from './schema-object.js';

/** An object that cannot be created, and stands in pg_depend under `key`. */
export interface LeftOut extends UnsupportedObject {
  readonly key: ObjectKey;
  /** Nobody asked for it, so only what needs it is told of. */
  readonly isUntold?: boolean;
}

/**
 * Takes out what cannot be created and, with it, all that needs it: a view over a foreign table, a trigger whose function
 * is missing. A default or check goes alone where its table can do without it. Everything that goes is named.
 */
export function leaveOut(
  objects: readonly SchemaObject[],
  edges: readonly DependencyEdge[],
  seeds: readonly LeftOut[],
): { objects: SchemaObject[]; unsupported: UnsupportedObject[] } {
  if (seeds.length === 0) return { objects: [...objects], unsupported: [] };
  const byKey = new Map(objects.map((object) => [object.key, object]));
  const parts = new Map(objects.flatMap((object) => (object.parts ?? []).map((part) => [part.key, part])));
  const causes = spread(seeds, neighboursOf(objects, edges, new Set(parts.keys())));
  const gone = new Set(causes.keys());
  const named = [...causes].flatMap(([key, cause]) => {
    const reason = `it needs ${cause}, which is left out`;
    const part = parts.get(key);
    if (part) return [{ kind: part.kind, identity: part.identity, reason }];
    const object = byKey.get(key);
    // What comes with another object, and what sets something of it, go with it unnamed.
    if (!object || object.sql === '' || seeds.some((seed) => seed.key === key)) return [];
    return [{ kind: object.kind, identity: identityOf(object), reason }];
  });
  return {
    objects: objects.filter(({ key }) => !gone.has(key)).map((object) => without(object, gone)),
    unsupported: [...seeds.filter(({ isUntold }) => !isUntold).map(toUnsupported), ...named],
  };
}

function toUnsupported({ kind, identity, reason }: LeftOut): UnsupportedObject {
  return { kind, identity, reason };
}

/** Whom each key takes with it. */
function neighboursOf(
  objects: readonly SchemaObject[],
  edges: readonly DependencyEdge[],
  parts: ReadonlySet<ObjectKey>,
): Map<ObjectKey, ObjectKey[]> {
  const neighbours = new Map<ObjectKey, ObjectKey[]>();
  const link = (key: ObjectKey, taken: ObjectKey): void => {
    const known = neighbours.get(key);
    if (known) known.push(taken);
    else neighbours.set(key, [taken]);
  };
  for (const { from, to, type } of edges) {
    link(to, from);
    // The rule of a view, the index of a key, the row of a composite: the whole cannot be without it.
    if (type === 'i' && !parts.has(from)) link(from, to);
  }
  for (const { key, needs = [] } of objects) for (const needed of needs) link(needed, key);
  return neighbours;
}

/** Every key that goes, with the identity of the seed that takes it. */
function spread(seeds: readonly LeftOut[], neighbours: ReadonlyMap<ObjectKey, ObjectKey[]>): Map<ObjectKey, string> {
  const causes = new Map(seeds.map(({ key, identity }) => [key, identity]));
  // A map goes on with what is added to it on the way.
  for (const [key, cause] of causes) {
    for (const taken of neighbours.get(key) ?? []) if (!causes.has(taken)) causes.set(taken, cause);
  }
  return causes;
}

/** The object without those of its parts that are not created. */
export function without(object: SchemaObject, gone: ReadonlySet<ObjectKey>): SchemaObject {
  const { sqlWithout, parts } = object;
  if (!sqlWithout) return object;
  return {
    ...object,
    sql: sqlWithout(gone),
    sqlWithout: (detached) => sqlWithout(new Set([...gone, ...detached])),
    ...(parts && { parts: parts.filter(({ key }) => !gone.has(key)) }),
  };
}
