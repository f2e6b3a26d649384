// The agreements of this reader, read once for every part of the screen.

import { clock } from "../kernel/clock.svelte";
import { store } from "../kernel/store.svelte";
import { rankOf } from "../ui/status";
import { instrumentOf, stateOf } from "./model";

class Agreements {
  all = $derived(
    [...store.rows("agreement").values()].map(instrumentOf).filter(one => one !== null),
  );
  byId = $derived(new Map(this.all.map(one => [one.id, one])));
  /** What wants somebody first, then by title. */
  ordered = $derived(
    [...this.all].sort((a, b) => {
      const rank = (one: typeof a): number => rankOf(stateOf(one, clock.now).status);
      return rank(a) - rank(b) || (a.text?.title ?? "").localeCompare(b.text?.title ?? "");
    }),
  );
}

export const agreements = new Agreements();
