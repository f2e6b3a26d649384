// The erasures of this reader, read once for every part of the screen.

import { store } from "../kernel/store.svelte";
import { erasureOf, ordered, type Erasure } from "./model";

class Erasures {
  all: readonly Erasure[] = $derived(
    ordered([...store.rows("erasure").values()].map(erasureOf).filter(one => one !== null)),
  );
  byId = $derived(new Map(this.all.map(one => [one.id, one])));

  /** What was asked for and ordered of a record; what is waiting first. */
  of(record: string): Erasure[] {
    return this.all.filter(one => one.body.record === record);
  }
}

export const erasures = new Erasures();
