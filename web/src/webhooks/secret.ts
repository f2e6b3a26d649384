// Making a secret: the node asks that the person was here lately.

import { ceremony } from "../api/call";
import { wordsOf } from "../api/problem";
import { stepUp } from "../identity/ceremonies";
import { webhooks } from "./webhooks.svelte";

/** Makes a new secret and keeps it for its page; a sentence when it was not made. */
export async function make(id: string): Promise<string | null> {
  const asked = () => ceremony<{ secret: string }>(`/api/webhooks/${id}/secret`, {});
  let done = await asked();
  if (!done.done && done.fault.slug === "step-up-needed") {
    const said = await stepUp(outcome => (outcome.done ? null : wordsOf(outcome.fault)));
    if (said) return said;
    done = await asked();
  }
  if (!done.done) return wordsOf(done.fault);
  webhooks.made = { id, secret: done.value.secret };
  return null;
}
