// The standing queries of this reader, and how much of what they find is new.

import { news as askNews } from "../api/call";
import { KINDS } from "../api/records";
import { onForget } from "../kernel/forget";
import { store } from "../kernel/store.svelte";
import { readQuery, type News } from "./model";

/** The node is asked again at most this often, however much changes. */
const AGAIN_MS = 10_000;
/** A change is in the index a moment after it was told. */
const INDEXED_MS = 700;

class Queries {
  all = $derived([...store.rows("query").values()].map(readQuery).filter(query => query !== null));
  ordered = $derived(
    [...this.all].sort((a, b) => (a.body.name ?? "").localeCompare(b.body.name ?? "")),
  );
  /** How much is new, by the id of a query; null while the index is behind. */
  fresh: ReadonlyMap<string, number | null> = $state.raw(new Map());
  total = $derived(this.all.reduce((sum, { id }) => sum + (this.fresh.get(id) ?? 0), 0));
  /** How many queries have something new. */
  telling = $derived(this.all.filter(({ id }) => (this.fresh.get(id) ?? 0) > 0).length);

  #asked = -Infinity;
  #later: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;

  /** Stands for everything that the live stream may change: reading it is being told of changes. */
  get changes(): unknown {
    return KINDS.map(kind => store.of(kind).rows);
  }

  /** Asks what is new, soon, and not oftener than it may. */
  soon(): void {
    if (this.#later !== undefined || this.all.length === 0) return;
    const wait = Math.max(INDEXED_MS, this.#asked + AGAIN_MS - performance.now());
    this.#later = setTimeout(() => {
      this.#later = undefined;
      void this.ask();
    }, wait);
  }

  async ask(): Promise<void> {
    this.#asked = performance.now();
    const turn = (this.#turn += 1);
    const answer = await askNews<News>();
    if (turn !== this.#turn || !answer.done) return;
    this.fresh = new Map(answer.value.items.map(one => [one.id, one.new]));
    // The index is behind: it is asked again when it has caught up.
    if (answer.value.items.some(one => one.new === null)) this.soon();
  }

  /** What a query found was seen: nothing of it is new until the node says so. */
  seen(id: string): void {
    this.#turn += 1;
    this.fresh = new Map(this.fresh).set(id, 0);
  }

  forget(): void {
    this.#turn += 1;
    clearTimeout(this.#later);
    this.#later = undefined;
    this.#asked = -Infinity;
    this.fresh = new Map();
  }
}

export const queries = new Queries();

onForget(() => queries.forget());
