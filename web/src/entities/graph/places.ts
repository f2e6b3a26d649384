// Where the entities of a net stand: old ones near where they stood, new ones near their origin.

import type { Drawn } from "./net";

export interface Place {
  x: number;
  y: number;
}

/** The angle between leaves that follow each other: they never fall on one line. */
const GOLDEN = Math.PI * (3 - Math.sqrt(5));

/** A first place for everything drawn, the same whenever the same is drawn. */
export function begun(drawn: Drawn, known: ReadonlyMap<string, Place>): Map<string, Place> {
  const places = new Map<string, Place>();
  drawn.nodes.forEach(({ id, from }, n) => {
    const near = from === null ? undefined : (places.get(from) ?? known.get(from));
    const angle = n * GOLDEN;
    const far = 40 + 4 * Math.sqrt(n);
    const fresh = {
      x: (near?.x ?? 0) + (n === 0 ? 0 : Math.cos(angle) * far),
      y: (near?.y ?? 0) + (n === 0 ? 0 : Math.sin(angle) * far),
    };
    places.set(id, known.get(id) ?? fresh);
  });
  return places;
}

/** Between one ring and the next. */
const RING = 120;

/** Rings around the centre, by how many relationships lead to each; the same for the same net. */
export function rings(drawn: Drawn, centre: string): Map<string, Place> {
  const beside = new Map<string, string[]>();
  for (const { source, target } of drawn.edges) {
    beside.set(source, [...(beside.get(source) ?? []), target]);
    beside.set(target, [...(beside.get(target) ?? []), source]);
  }
  const places = new Map<string, Place>();
  const rest = new Set(drawn.nodes.map(({ id }) => id));
  let ring = rest.has(centre) ? [centre] : [...rest].slice(0, 1);
  for (let n = 0; rest.size > 0; n += 1) {
    // What hangs together with nothing that was reached stands outside of everything.
    if (ring.length === 0) ring = [...rest];
    ring.forEach((id, k) => {
      const angle = (k / ring.length) * 2 * Math.PI - Math.PI / 2;
      const far = n * Math.max(RING, n === 1 ? (ring.length * 22) / (2 * Math.PI) : RING);
      places.set(id, { x: Math.cos(angle) * far, y: Math.sin(angle) * far });
      rest.delete(id);
    });
    ring = [...new Set(ring.flatMap(id => beside.get(id) ?? []))].filter(id => rest.has(id));
  }
  return places;
}

/** How large an entity is drawn, by its relationships and by how many there are to draw. */
export function sizeOf(edges: number, centre: boolean, all: number): number {
  const room = all > 80 ? 0.5 : all > 40 ? 0.7 : 1;
  return (Math.min(20, 9 + Math.sqrt(edges) * 2) + (centre ? 3 : 0)) * room;
}
