// The search of this browser: what was typed stays while pages change, and goes with the session.

import { actOn, newKey, queryHits, search, type Outcome } from "../api/call";
import { wordsOf } from "../api/problem";
import { onForget } from "../kernel/forget";
import type { Query, QueryHits } from "../queries/model";
import { queries } from "../queries/queries.svelte";
import { askable, askedOf } from "./language";
import type { Hit, Hits } from "./model";

/** Milliseconds after the last key until the node is asked. */
const AFTER_MS = 120;

class Search {
  query = $state("");
  hits: Hit[] = $state.raw([]);
  found: Hits | null = $state.raw(null);
  failed = $state("");
  asking = $state(false);
  /** The standing query whose results are shown, and since when they are new. */
  standing: { id: string; since: string } | null = $state.raw(null);
  #asked = 0;
  #later: ReturnType<typeof setTimeout> | undefined;

  /** Asks a moment after the last key. */
  type(query: string): void {
    this.query = query;
    this.standing = null;
    clearTimeout(this.#later);
    this.#later = setTimeout(() => void this.ask(), AFTER_MS);
  }

  /** Shows what a standing query finds; with that it was seen. */
  async stand({ id, body }: Query): Promise<void> {
    this.query = body.query ?? "";
    const since = body.seen_at ?? body.kept_at ?? "";
    this.standing = { id, since };
    await this.ask();
    if (this.standing?.id !== id || this.failed !== "" || !queries.fresh.get(id)) return;
    const done = await actOn("/api/queries/{id}/seen", id, newKey(), {});
    if (done.done) queries.seen(id);
  }

  /** A page of what is looked for. */
  #page(cursor: string | null): Promise<Outcome<Hits>> {
    return this.standing
      ? queryHits<QueryHits>(this.standing.id, cursor)
      : search<Hits>(askedOf(this.query), cursor);
  }

  /** Asks now. An answer that another question has overtaken is dropped. */
  async ask(): Promise<void> {
    clearTimeout(this.#later);
    const turn = (this.#asked += 1);
    if (askedOf(this.query).trim() === "" || !askable(this.query)) {
      this.clear();
      return;
    }
    this.asking = true;
    const answer = await this.#page(null);
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
    const answer = await this.#page(next);
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
  searching.standing = null;
  searching.clear();
});
