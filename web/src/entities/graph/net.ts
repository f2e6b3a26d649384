// The net of entities that was asked for: who is related to whom, by which relationship.
//
// Pure: each function gives a new net and leaves the old one as it was. A net holds ids and what
// the
// node said of them; whether something of it may be drawn now is for the records to say.

import type { Related } from "../model";

/** LIMIT: entities of one net. */
export const NODES_MAX = 150;
/** LIMIT: relationships of one net. */
export const EDGES_MAX = 400;

export interface Node {
  id: string;
  type: string;
  title: string;
  /** The entity from which it was first reached; null for the one in the centre. */
  from: string | null;
}

export interface Edge {
  /** The record of the relationship. */
  id: string;
  kind: string;
  source: string;
  target: string;
}

export interface Net {
  centre: string;
  nodes: ReadonlyMap<string, Node>;
  edges: ReadonlyMap<string, Edge>;
  /** Entities whose relationships were asked for, with what could not be taken of the answer. */
  expanded: ReadonlyMap<string, { left: number; more: boolean }>;
}

/** A net of one entity. */
export function netOf(centre: Omit<Node, "from">): Net {
  const nodes = new Map([[centre.id, { ...centre, from: null }]]);
  return { centre: centre.id, nodes, edges: new Map(), expanded: new Map() };
}

/** The edge of an item of an answer about `of`. */
export const edgeOf = (of: string, item: Related): Edge => ({
  id: item.relationship,
  kind: item.kind,
  source: item.direction === "out" ? of : item.entity,
  target: item.direction === "out" ? item.entity : of,
});

/** Puts in what is related to an entity, as far as there is room. */
export function expanded(net: Net, of: string, items: readonly Related[], more: boolean): Net {
  if (!net.nodes.has(of)) return net;
  const nodes = new Map(net.nodes);
  const edges = new Map(net.edges);
  let left = 0;
  for (const item of items) {
    const known = nodes.has(item.entity);
    const room =
      (known || nodes.size < NODES_MAX) && (edges.size < EDGES_MAX || edges.has(item.relationship));
    if (!room) {
      left += 1;
      continue;
    }
    if (!known) {
      nodes.set(item.entity, { id: item.entity, type: item.type, title: item.title, from: of });
    }
    if (!edges.has(item.relationship)) edges.set(item.relationship, edgeOf(of, item));
  }
  return { ...net, nodes, edges, expanded: new Map(net.expanded).set(of, { left, more }) };
}

/** Takes back what hangs on an entity alone: its leaves and what was reached through them. */
export function collapsed(net: Net, of: string): Net {
  const gone = new Set<string>();
  const below = [of];
  for (let at = below.pop(); at !== undefined; at = below.pop()) {
    for (const { id, from } of net.nodes.values()) {
      if (from !== at || id === net.centre || gone.has(id)) continue;
      gone.add(id);
      below.push(id);
    }
  }
  return without(net, gone, of);
}

/** The net without some entities, and with one that is not asked about any more. */
function without(net: Net, gone: ReadonlySet<string>, of: string): Net {
  const nodes = new Map([...net.nodes].filter(([id]) => !gone.has(id)));
  const edges = new Map(
    [...net.edges].filter(([, { source, target }]) => nodes.has(source) && nodes.has(target)),
  );
  const asked = new Map([...net.expanded].filter(([id]) => id !== of && nodes.has(id)));
  return { ...net, nodes, edges, expanded: asked };
}

/** The edges of an entity. */
export const edgesOf = (edges: Iterable<Edge>, id: string): Edge[] =>
  [...edges].filter(({ source, target }) => source === id || target === id);

/** The entity at the other end. */
export const otherEnd = (edge: Edge, id: string): string =>
  edge.source === id ? edge.target : edge.source;

/** What may be drawn: what the records and the filters let through, and no loose ends. */
export interface Sieve {
  /** Whether the record of an entity or relationship may be shown now. */
  known(id: string): boolean;
  types: ReadonlySet<string>;
  kinds: ReadonlySet<string>;
  /** Whether the record stands within the span of time that is looked at. */
  within(id: string): boolean;
}

export interface Drawn {
  nodes: Node[];
  edges: Edge[];
}

/** Sifts a net. The centre always stays, if it may be shown; who has no edge left goes. */
export function sifted(net: Net, sieve: Sieve): Drawn {
  const passes = ({ id, type }: Node): boolean =>
    sieve.known(id) && (id === net.centre || !sieve.types.has(type));
  const open = new Set([...net.nodes.values()].filter(passes).map(node => node.id));
  const edges = [...net.edges.values()].filter(
    ({ id, kind, source, target }) =>
      open.has(source) &&
      open.has(target) &&
      sieve.known(id) &&
      !sieve.kinds.has(kind) &&
      sieve.within(id),
  );
  const tied = new Set(edges.flatMap(({ source, target }) => [source, target]));
  const nodes = [...net.nodes.values()].filter(
    ({ id }) => open.has(id) && (id === net.centre || tied.has(id)),
  );
  return { nodes, edges };
}
