// What is asked on the page of why: it stays while pages change, and goes with the session.

import type { Rendition } from "../api/records";
import { onForget } from "../kernel/forget";
import type { Hit } from "../search/model";
import { titleIn } from "../search/preview";

class Asked {
  hit = $state.raw<Hit | null>(null);
  whom = $state<"agency" | "person" | "me">("agency");
  agency = $state("");
  person = $state("");

  /** Begins at a record that is open elsewhere. */
  about(record: Rendition): void {
    const [base] = record.layers;
    if (!base) return;
    const { kind, id, agency, state, changed_at } = record;
    const { label, mark } = base;
    const title = titleIn(base);
    this.hit = { kind, id, agency, title, state, label, mark, snippet: [], changed_at };
  }

  forget(): void {
    this.hit = null;
    this.whom = "agency";
    this.agency = "";
    this.person = "";
  }
}

export const asked = new Asked();

onForget(() => asked.forget());
