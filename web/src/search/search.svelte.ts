// The search of this browser: what was typed stays while pages change, and goes with the session.

import { search } from "../api/call";
import { wordsOf } from "../api/problem";
import { onForget } from "../kernel/forget";
import type { Hit, Hits } from "./model";

/** Milliseconds after the last key until the node is asked. */
const AFTER_MS = 150;

class Search {
  query = $state("");
  hits: Hit[] = $state.raw([]);
  found: Hits | null = $state.raw(null);
  failed = $state("");
  asking = $state(false);
  #asked = 0;
  #later: ReturnType<typeof setTimeout> | undefined;

  /** Asks a moment after the last key. */
  type(query: string): void {
    this.query = query;
    clearTimeout(this.#later);
    this.#later = setTimeout(() => void this.ask(), AFTER_MS);
  }

  /** Asks now. An answer that another question has overtaken is dropped. */
  async ask(): Promise<void> {
    clearTimeout(this.#later);
    const turn = (this.#asked += 1);
    if (this.query.trim() === "") {
      this.clear();
      return;
    }
    this.asking = true;
    const answer = await search<Hits>(this.query, null);
    if (turn !== this.#asked) return;
    this.asking = false;
    this.failed = answer.done ? "" : wordsOf(answer.fault);
    if (!answer.done) return;
    this.found = answer.value;
    this.hits = answer.value.items;
  }

  /** Reads the next page. */
  async more(): Promise<void> {
    const next = this.found?.next;
    if (!next) return;
    const turn = this.#asked;
    const answer = await search<Hits>(this.query, next);
    if (turn !== this.#asked) return;
    if (!answer.done) {
      this.failed = wordsOf(answer.fault);
      return;
    }
    this.found = { ...answer.value, total: this.found?.total ?? null };
    this.hits = [...this.hits, ...answer.value.items];
  }

  clear(): void {
    this.#asked += 1;
    this.asking = false;
    this.failed = "";
    this.found = null;
    this.hits = [];
  }
}

export const searching = new Search();

onForget(() => {
  searching.query = "";
  searching.clear();
});
