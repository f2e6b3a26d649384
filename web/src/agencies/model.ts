// The tree of agencies in the order of reading.

export interface Node {
  id: string;
  name: string;
  parent: string | null;
}

/** How deep a tree is drawn; deeper ones, and circles of broken data, end here. */
const DEPTH_MAX = 8;

/** Each agency after the one it is part of, with its depth; an unknown parent makes a root. */
export function treeOf<T extends Node>(all: readonly T[]): { node: T; depth: number }[] {
  const known = new Set(all.map(node => node.id));
  const below = (parent: string | null): T[] =>
    all
      .filter(node => {
        const above = node.parent !== null && known.has(node.parent) ? node.parent : null;
        return above === parent;
      })
      .sort((a, b) => a.name.localeCompare(b.name));
  const walk = (parent: string | null, depth: number): { node: T; depth: number }[] =>
    depth > DEPTH_MAX
      ? []
      : below(parent).flatMap(node => [{ node, depth }, ...walk(node.id, depth + 1)]);
  return walk(null, 0);
}
