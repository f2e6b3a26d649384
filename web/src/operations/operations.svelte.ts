// The operations of this reader, read once for every part of the screen.

import { store } from "../kernel/store.svelte";
import { operationOf, ordered } from "./model";

class Operations {
  all = $derived(
    ordered([...store.rows("operation").values()].map(operationOf).filter(one => one !== null)),
  );
  byId = $derived(new Map(this.all.map(one => [one.id, one])));
}

export const operations = new Operations();
