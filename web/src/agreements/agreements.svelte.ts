// The agreements of this reader, read once for every part of the screen.

import { untrack } from "svelte";
import type { Agreement } from "../api/records";
import { clock } from "../kernel/clock.svelte";
import { onForget } from "../kernel/forget";
import { store } from "../kernel/store.svelte";
import { rankOf } from "../ui/status";
import { instrumentOf, stateOf, type Instrument } from "./model";

class Agreements {
  all = $derived(
    [...store.rows("agreement").values()].map(instrumentOf).filter(one => one !== null),
  );
  byId = $derived(new Map(this.all.map(one => [one.id, one])));
  /** What wants somebody first, then by title. */
  ordered = $derived(
    [...this.all].sort((a, b) => {
      const rank = (one: typeof a): number => rankOf(stateOf(one, clock.now).status);
      return rank(a) - rank(b) || (a.text?.title ?? "").localeCompare(b.text?.title ?? "");
    }),
  );
}

export const agreements = new Agreements();

/** LIMIT: texts of one agreement that are kept in memory. */
const TEXTS_MAX = 10;

/** Texts that this page has seen: the node gives the newest, what stood before is seen here. */
class Texts {
  #seen = $state.raw<ReadonlyMap<string, readonly Agreement[]>>(new Map());

  /** Earlier texts of an agreement, the newest first. */
  before(of: Agreement): readonly Agreement[] {
    return (this.#seen.get(of.id) ?? []).filter(text => text.version < of.version);
  }

  take(all: readonly Instrument[]): void {
    const fresh = all.flatMap(({ text }) => {
      if (!text) return [];
      const known = untrack(() => this.#seen).get(text.id) ?? [];
      return known.some(one => one.version === text.version) ? [] : [{ text, known }];
    });
    if (fresh.length === 0) return;
    const seen = new Map(untrack(() => this.#seen));
    for (const { text, known } of fresh) {
      const texts = [text, ...known].sort((a, b) => b.version - a.version);
      seen.set(text.id, texts.slice(0, TEXTS_MAX));
    }
    this.#seen = seen;
  }

  /** What may not be read any more is not kept. */
  keep(ids: ReadonlySet<string>): void {
    const seen = untrack(() => this.#seen);
    if ([...seen.keys()].every(id => ids.has(id))) return;
    this.#seen = new Map([...seen].filter(([id]) => ids.has(id)));
  }

  forget(): void {
    this.#seen = new Map();
  }
}

export const texts = new Texts();

$effect.root(() => {
  $effect(() => {
    texts.take(agreements.all);
    if (store.of("agreement").reading === "no") texts.keep(new Set(agreements.byId.keys()));
  });
});

onForget(() => texts.forget());
