// The plans of this reader, and the draft.

import { Draft } from "../kernel/draft.svelte";
import { store } from "../kernel/store.svelte";
import { emptyDraft, inForce, ordered, planOf, type Plan } from "./model";

class Plans {
  inForce = $derived(inForce(store.rows("plan").values()));
  all: readonly Plan[] = $derived(
    ordered([...store.rows("plan").values()].map(planOf).filter(plan => plan !== null)),
  );
  byId = $derived(new Map(this.all.map(plan => [plan.id, plan])));
}

export const plans = new Plans();
export const draft = new Draft("plan", emptyDraft);
