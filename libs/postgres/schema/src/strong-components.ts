/**
 * Tarjan's algorithm: the sets of nodes that depend on each other in a ring, each after all that it depends on.
 * A set of one is a node in no ring. Nodes come in the order of `graph` as far as dependencies allow.
 */
export function strongComponents<Key>(graph: ReadonlyMap<Key, ReadonlySet<Key>>): Key[][] {
  const indexes = new Map<Key, number>();
  const lowLinks = new Map<Key, number>();
  const stack: Key[] = [];
  const onStack = new Set<Key>();
  const components: Key[][] = [];

  const visit = (key: Key): number => {
    const index = indexes.size;
    indexes.set(key, index);
    let lowLink = index;
    stack.push(key);
    onStack.add(key);
    for (const needed of graph.get(key) ?? []) {
      if (!graph.has(needed)) continue;
      if (!indexes.has(needed)) lowLink = Math.min(lowLink, visit(needed));
      else if (onStack.has(needed)) lowLink = Math.min(lowLink, lowLinks.get(needed) ?? indexes.get(needed) ?? lowLink);
      lowLinks.set(key, lowLink);
    }
    if (lowLink === index) {
      const component = stack.splice(stack.lastIndexOf(key));
      for (const member of component) onStack.delete(member);
      components.push(component);
    }
    return lowLink;
  };
  for (const key of graph.keys()) if (!indexes.has(key)) visit(key);
  return components;
}
