import { type DependencyEdge } from './dependencies.js';
import { buildGraph, type DependencyGraph, nodesOf } from './dependency-graph.js';
import { type ObjectKey, type SchemaObject } from './schema-object.js';
import { strongComponents } from './strong-components.js';

export interface OrderedObjects {
  /** In an order in which each can be created. */
  readonly early: readonly SchemaObject[];
  /** Those that need a key or another object of post-data, e.g. a view that groups by a primary key; in order, too. */
  readonly late: readonly SchemaObject[];
  /** How many populated materialized views stand below each object. */
  readonly refreshDepth: ReadonlyMap<ObjectKey, number>;
}

/**
 * Orders what is created before the rows. A ring is opened in two steps: first defaults and checks are taken out of
 * their tables, then types and views in it get a stub that the others can refer to.
 */
export function orderObjects(objects: readonly SchemaObject[], edges: readonly DependencyEdge[]): OrderedObjects {
  const early = objects.filter(({ stage }) => stage === 'pre');
  const postKeys = new Set(objects.filter(({ stage }) => stage !== 'pre').map(({ key }) => key));
  const detached = new Set<ObjectKey>();
  for (;;) {
    const nodes = nodesOf(early, detached);
    const { graph, outside } = buildGraph(nodes, edges);
    const late = lateKeys(graph, outside, postKeys);
    const rings = strongComponents(graph).filter(({ length }) => length > 1);
    // A table is never late, as its rows come first; only its defaults and checks can be.
    const entangled = [...rings.flat(), ...[...late].filter((key) => nodes.get(key)?.kind === 'table')];
    const parts = entangled.flatMap((key) => nodes.get(key)?.parts ?? []).filter(({ key }) => !detached.has(key));
    if (parts.length === 0) {
      const ordered = orderGraph(graph, nodes);
      return {
        early: ordered.filter(({ key }) => !late.has(key)),
        late: ordered.filter(({ key }) => late.has(key)),
        refreshDepth: refreshDepths(ordered, graph),
      };
    }
    for (const { key } of parts) detached.add(key);
  }
}

/** All that stand on an object of post-data, directly or through others. */
function lateKeys(graph: DependencyGraph, outside: DependencyGraph, postKeys: ReadonlySet<ObjectKey>): Set<ObjectKey> {
  const dependents = new Map<ObjectKey, ObjectKey[]>();
  for (const [key, needed] of graph) for (const other of needed) push(dependents, other, key);
  const late = new Set<ObjectKey>();
  const waiting = [...outside].filter(([, needed]) => [...needed].some((key) => postKeys.has(key))).map(([key]) => key);
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    if (late.has(key)) continue;
    late.add(key);
    for (const dependent of dependents.get(key) ?? []) waiting.push(dependent);
  }
  return late;
}

function push<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

function orderGraph(graph: DependencyGraph, nodes: ReadonlyMap<ObjectKey, SchemaObject>): SchemaObject[] {
  return strongComponents(graph).flatMap((ring) =>
    ring.length === 1 ? ring.flatMap((key) => nodes.get(key) ?? []) : orderRing(ring, graph, nodes),
  );
}

/** Stubs first; what refers to a stubbed object is satisfied, so the rest has an order. */
function orderRing(
  ring: readonly ObjectKey[],
  graph: DependencyGraph,
  nodes: ReadonlyMap<ObjectKey, SchemaObject>,
): SchemaObject[] {
  const objects = ring.flatMap((key) => nodes.get(key) ?? []);
  const stubbed = new Set(objects.filter(({ stub }) => stub !== undefined).map(({ key }) => key));
  // Nothing to open the ring with: the target's own error will name the statement that cannot be run.
  if (stubbed.size === 0) return objects;
  const opened: DependencyGraph = new Map(
    ring.map((key) => [
      key,
      new Set([...(graph.get(key) ?? [])].filter((needed) => ring.includes(needed) && !stubbed.has(needed))),
    ]),
  );
  const stubs = objects.flatMap(({ kind, address, key, stage, stub }) =>
    stub === undefined ? [] : [{ kind: `stub of ${kind}`, address, key: `${key} stub` as const, stage, sql: stub }],
  );
  return [...stubs, ...orderGraph(opened, nodes)];
}

function refreshDepths(ordered: readonly SchemaObject[], graph: DependencyGraph): Map<ObjectKey, number> {
  const kinds = new Map(ordered.map(({ key, kind }) => [key, kind]));
  const depths = new Map<ObjectKey, number>();
  for (const { key } of ordered) {
    const below = [...(graph.get(key) ?? [])].map(
      (needed) => (depths.get(needed) ?? 0) + (kinds.get(needed) === 'materialized view' ? 1 : 0),
    );
    depths.set(
      key,
      below.reduce((deepest, depth) => Math.max(deepest, depth), 0),
    );
  }
  return depths;
}
