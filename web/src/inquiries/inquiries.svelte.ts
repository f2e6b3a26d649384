// The inquiries of this reader, newest first.

import { store } from "../kernel/store.svelte";
import { inquiryOf } from "./model";

class Inquiries {
  all = $derived([...store.rows("inquiry").values()].map(inquiryOf).filter(one => one !== null));
  byId = $derived(new Map(this.all.map(one => [one.id, one])));
  ordered = $derived(
    [...this.all].sort((a, b) => (b.body.opened_at ?? "").localeCompare(a.body.opened_at ?? "")),
  );
}

export const inquiries = new Inquiries();
