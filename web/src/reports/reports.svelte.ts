// The reports of this reader, and the draft: it outlives the page it is typed on, and nothing else.

import { newKey } from "../api/call";
import { onForget } from "../kernel/forget";
import { store } from "../kernel/store.svelte";
import { emptyDraft, reportOf, type Draft, type Report } from "./model";

class Reports {
  all: readonly Report[] = $derived(
    [...store.rows("report").values()].map(reportOf).filter(report => report !== null),
  );
  byId = $derived(new Map(this.all.map(report => [report.id, report])));
  /** Newest first. */
  ordered = $derived(
    [...this.all].sort((a, b) =>
      (b.body.submitted_at ?? "").localeCompare(a.body.submitted_at ?? ""),
    ),
  );
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

export const reports = new Reports();
export const draft = new Kept();
onForget(() => draft.clear());
