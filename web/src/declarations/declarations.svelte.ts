// The declarations of this reader, read once for every part of the screen.

import { store } from "../kernel/store.svelte";
import { declarationOf, isOn, ordered } from "./model";

class Declarations {
  all = $derived(
    ordered([...store.rows("declaration").values()].map(declarationOf).filter(one => one !== null)),
  );
  on = $derived(this.all.filter(isOn));
  byOperation = $derived(new Map(this.all.map(one => [one.rendition.operation ?? "", one])));
}

export const declarations = new Declarations();
