// People and seats of this reader, read once for every part of the screen.

import { store } from "../kernel/store.svelte";
import { parted } from "./model";
import { agencyCode } from "./names.svelte";

class People {
  #parted = $derived(parted(store.rows("person").values(), agencyCode));
  seats = $derived(this.#parted.seats);
  people = $derived(this.#parted.people);
  byId = $derived(new Map([...this.seats, ...this.people].map(being => [being.id, being])));
}

export const people = new People();
