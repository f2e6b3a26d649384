// Laying out a net by forces, on a worker.

import workerUrl from "./layout.worker?worker&url";
import type { Drawn } from "./net";
import { begun, type Place } from "./places";

export interface ToPlace {
  turn: number;
  nodes: (Place & { id: string; size: number })[];
  edges: [string, string][];
}

export interface Placed {
  turn: number;
  places: Record<string, Place>;
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

  /** What is being laid out is not wanted any more. */
  drop(): void {
    this.#turn += 1;
  }

  end(): void {
    this.#worker.terminate();
  }
}
