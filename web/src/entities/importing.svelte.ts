// Importing a bundle: one act after another, and what became of each object.

import { act, newKey } from "../api/call";
import { wordsOf } from "../api/problem";
import type { Marking, Markings } from "../labels/label";
import { actsOf, isDefinition, objectsOf, placeOf } from "./split";

/** What each level of the Traffic Light Protocol becomes. */
export interface Table {
  scheme: string;
  clear: Marking;
  green: Marking;
  amber: Marking;
  amber_strict: Marking;
  red: Marking;
}

export const LEVELS = ["clear", "green", "amber", "amber_strict", "red"] as const;

export class Importing {
  total = $state(0);
  done = $state(0);
  written = $state(0);
  unchanged = $state(0);
  /** Refused objects by what the node says of them. */
  refused: Record<string, number> = $state({});
  running = $state(false);
  fault: string | null = $state(null);
  #stop = false;

  get refusals(): number {
    return Object.values(this.refused).reduce((sum, count) => sum + count, 0);
  }

  stop(): void {
    this.#stop = true;
  }

  /** Imports a bundle; false when the text is none. */
  async run(text: string, markings: Markings, table: Table): Promise<boolean> {
    const all = objectsOf(text);
    if (all === null) return false;
    const definitions = all.filter(isDefinition).slice(0, 64);
    const objects = all.filter(object => !isDefinition(object));
    this.total = objects.length;
    this.done = this.written = this.unchanged = 0;
    this.refused = {};
    this.fault = null;
    this.running = true;
    this.#stop = false;
    for (const chunk of actsOf(objects)) {
      await this.#import(chunk, { markings, table, definitions });
      if (this.#stop || this.fault !== null) break;
    }
    this.running = false;
    return true;
  }

  async #import(objects: string[], fixed: Record<string, unknown>): Promise<void> {
    let left = objects;
    while (left.length > 0) {
      const outcome = await act("/api/entities", newKey(), { ...fixed, objects: left });
      if (outcome.done) {
        this.written += left.length;
        break;
      }
      const { slug, detail } = outcome.fault;
      if (slug === "nothing-to-do") {
        this.unchanged += left.length;
        break;
      }
      // An act takes all its objects or none: what is refused is left out, and told.
      const place = placeOf(detail);
      if (place === null || place >= left.length) {
        this.fault = wordsOf(outcome.fault);
        return;
      }
      const said = detail.replace(/^objects\[\d+\]: /, "");
      this.refused[said] = (this.refused[said] ?? 0) + 1;
      left = left.filter((_, n) => n !== place);
    }
    this.done += objects.length;
  }
}
