// The draft of the form: it outlives the page it is typed on, and nothing else.

import { newKey } from "../api/call";
import { onForget } from "../kernel/forget";
import { emptyDraft, type Draft } from "./draft";

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

export const draft = new Kept();
onForget(() => draft.clear());
