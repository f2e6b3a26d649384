// The entities that this page has read: a list is long, so it is read a page at a time, and only
// while it is looked at.

import { entities as read } from "../api/call";
import { wordsOf } from "../api/problem";
import { entityOf, type Entity } from "./index";

class Entities {
  rows: Entity[] = $state.raw([]);
  total = $state(0);
  next: string | null = $state(null);
  reading = $state(false);
  fault: string | null = $state(null);

  /** Reads the newest again. */
  refresh(): Promise<void> {
    return this.#read(null);
  }

  /** Reads the next older page. */
  older(): Promise<void> {
    return this.next === null ? Promise.resolve() : this.#read(this.next);
  }

  /** What is known goes with whoever knew it. */
  forget(): void {
    this.rows = [];
    this.total = 0;
    this.next = null;
  }

  async #read(cursor: string | null): Promise<void> {
    this.reading = true;
    const outcome = await read(cursor);
    this.reading = false;
    this.fault = outcome.done ? null : wordsOf(outcome.fault);
    if (!outcome.done) return;
    const rows = outcome.value.items.map(entityOf).filter(one => one !== null);
    this.rows = cursor === null ? rows : [...this.rows, ...rows];
    this.total = outcome.value.total;
    this.next = outcome.value.next;
  }
}

export const entities = new Entities();
