// The plans of this reader, read once for every part of the screen.

import { store } from "../kernel/store.svelte";
import { inForce } from "./model";

class Plans {
  inForce = $derived(inForce(store.rows("plan").values()));
}

export const plans = new Plans();
