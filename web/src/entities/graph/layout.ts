// Where the entities of a net stand: old ones near where they stood, new ones near whence they came.

import workerUrl from "./layout.worker?worker&url";
import type { Drawn } from "./net";

export interface Place {
  x: number;
  y: number;
}

export interface ToPlace {
  turn: number;
  nodes: (Place & { id: string; size: number })[];
  edges: [string, string][];
}

export interface Placed {
  turn: number;
  places: Record<string, Place>;
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

/** How large an entity is drawn, by its relationships and by how many there are to draw. */
export function sizeOf(edges: number, centre: boolean, all: number): number {
  const room = all > 80 ? 0.5 : all > 40 ? 0.7 : 1;
  return (Math.min(20, 9 + Math.sqrt(edges) * 2) + (centre ? 3 : 0)) * room;
}

/** Lays out on a worker; an answer that a later question has overtaken is dropped. */
export class Layout {
  readonly #worker: Worker;
  #turn = 0;
  readonly #done: (places: ReadonlyMap<string, Place>) => void;

  constructor(done: (places: ReadonlyMap<string, Place>) => void) {
    this.#done = done;
    this.#worker = new Worker(workerUrl, { type: "module", name: "muster-layout" });
    this.#worker.onmessage = (message: MessageEvent<Placed>) => {
      if (message.data.turn !== this.#turn) return;
      this.#done(new Map(Object.entries(message.data.places)));
    };
  }

  place(drawn: Drawn, known: ReadonlyMap<string, Place>, sizes: ReadonlyMap<string, number>): void {
    this.#turn += 1;
    const places = begun(drawn, known);
    const nodes = drawn.nodes.map(({ id }) => ({
      id,
      size: sizes.get(id) ?? 8,
      ...(places.get(id) ?? { x: 0, y: 0 }),
    }));
    const edges = drawn.edges.map(({ source, target }): [string, string] => [source, target]);
    this.#worker.postMessage({ turn: this.#turn, nodes, edges } satisfies ToPlace);
  }

  end(): void {
    this.#worker.terminate();
  }
}
