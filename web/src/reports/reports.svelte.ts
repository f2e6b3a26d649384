// The reports of this reader, and the draft.

import { Draft } from "../kernel/draft.svelte";
import { store } from "../kernel/store.svelte";
import { emptyDraft, reportOf, type Report } from "./model";

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

export const reports = new Reports();
export const draft = new Draft("report", emptyDraft);
