// The alerts of this reader, read once for every part of the screen.

import { session } from "../session/session.svelte";
import { clock } from "../kernel/clock.svelte";
import { store } from "../kernel/store.svelte";
import { alertOf, deskOrder, rollUp, type Alert } from "./model";

class Alerts {
  all: readonly Alert[] = $derived(
    [...store.rows("alert").values()].map(alertOf).filter(alert => alert !== null),
  );
  byId = $derived(new Map(this.all.map(alert => [alert.id, alert])));
  mine = $derived(session.me?.agency ?? "");
  /** In the order of the desk. */
  ordered = $derived(deskOrder(this.all, this.mine, clock.now));
  counts = $derived(rollUp(this.all, this.mine, clock.now));
}

export const alerts = new Alerts();
