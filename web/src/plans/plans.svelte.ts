// The plans of this reader, and the draft: it outlives the page it is typed on, and nothing else.

import { newKey } from "../api/call";
import { onForget } from "../kernel/forget";
import { store } from "../kernel/store.svelte";
import { emptyDraft, inForce, ordered, planOf, type Draft, type Plan } from "./model";

class Plans {
  inForce = $derived(inForce(store.rows("plan").values()));
  all: readonly Plan[] = $derived(
    ordered([...store.rows("plan").values()].map(planOf).filter(plan => plan !== null)),
  );
  byId = $derived(new Map(this.all.map(plan => [plan.id, plan])));
}

class Kept {
  now = $state<Draft>(emptyDraft());
  /** The key of this content: a repetition of it counts once, anything else is another act. */
  #key = newKey();
  #of = "";

  keyFor(command: unknown): string {
    const content = JSON.stringify(command);
    if (content !== this.#of) {
      this.#of = content;
      this.#key = newKey();
    }
    return this.#key;
  }

  clear(): void {
    this.now = emptyDraft();
    this.#of = "";
  }
}

export const plans = new Plans();
export const draft = new Kept();
onForget(() => draft.clear());
