import { type DependencyEdge } from './dependencies.js';
import { type ObjectKey, type SchemaObject } from './schema-object.js';

/** What must be there before what, by key. Keys keep the order in which the objects were given. */
export type DependencyGraph = Map<ObjectKey, Set<ObjectKey>>;

/** The objects, with the detached parts as objects of their own. Objects without SQL come with others and are no nodes. */
export function nodesOf(
  objects: readonly SchemaObject[],
  detached: ReadonlySet<ObjectKey>,
): Map<ObjectKey, SchemaObject> {
  const nodes = objects
    .filter(({ sql }) => sql !== '')
    .flatMap((object) => {
      const parts = (object.parts ?? []).filter(({ key }) => detached.has(key));
      if (parts.length === 0) return [object];
      return [
        { ...object, sql: object.sqlWithout?.(detached) ?? object.sql },
        ...parts.map((part) => ({ ...withoutOwner(object), key: part.key, sql: part.sql, needs: [object.key] })),
      ];
    });
  return new Map(nodes.map((node) => [node.key, node]));
}

/** A detached part has neither owner, parts nor a claim on the name of its table. */
function withoutOwner({ kind, address, stage, table }: SchemaObject): Omit<SchemaObject, 'key' | 'sql'> {
  return { kind, address, stage, ...(table && { table }) };
}

/** Builds the graph. Edges that lead out of the nodes are kept as `outside`, by node: they tell what has to wait. */
export function buildGraph(
  nodes: ReadonlyMap<ObjectKey, SchemaObject>,
  edges: readonly DependencyEdge[],
): { graph: DependencyGraph; outside: DependencyGraph } {
  const ownerOf = ownerResolver(nodes, edges);
  const graph: DependencyGraph = new Map([...nodes].map(([key, { needs }]) => [key, new Set(needs)]));
  const outside: DependencyGraph = new Map();
  for (const { from, to, type } of edges) {
    const dependent = ownerOf(from);
    if (dependent === null) continue;
    // A sequence that a column owns (deptype `a`) comes before its table, whose default reads it.
    if (type === 'a' && nodes.get(dependent)?.kind === 'sequence') continue;
    const needed = ownerOf(to);
    if (needed === null) addTo(outside, dependent, to);
    else if (needed !== dependent) addTo(graph, dependent, needed);
  }
  return { graph, outside };
}

function addTo(graph: DependencyGraph, key: ObjectKey, value: ObjectKey): void {
  const values = graph.get(key);
  if (values) values.add(value);
  else graph.set(key, new Set([value]));
}

/** The node that an object of pg_depend belongs to: itself, the table of a default, the element of an array type, the extension of a member. */
function ownerResolver(
  nodes: ReadonlyMap<ObjectKey, SchemaObject>,
  edges: readonly DependencyEdge[],
): (key: ObjectKey) => ObjectKey | null {
  const parents = new Map<ObjectKey, ObjectKey[]>();
  for (const { from, to, type } of edges) {
    if (type !== 'i' && type !== 'e') continue;
    const known = parents.get(from);
    if (known) known.push(to);
    else parents.set(from, [to]);
  }
  const parts = new Map<ObjectKey, ObjectKey>();
  for (const node of nodes.values()) for (const part of node.parts ?? []) parts.set(part.key, node.key);
  const owners = new Map<ObjectKey, ObjectKey | null>();
  const resolve = (key: ObjectKey): ObjectKey | null => {
    if (nodes.has(key)) return key;
    const known = owners.get(key);
    if (known !== undefined) return known;
    // Entered before the parents are asked, so that a ring of internal dependencies ends.
    owners.set(key, parts.get(key) ?? null);
    const owner = parts.get(key) ?? (parents.get(key) ?? []).map(resolve).find((found) => found !== null) ?? null;
    owners.set(key, owner);
    return owner;
  };
  return resolve;
}
