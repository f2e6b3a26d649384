// The records of this reader: one collection a kind, replaced as a whole with each batch.

import { list, record } from "../api/call";
import { KINDS, type Kind, type Rendition } from "../api/records";
import {
  began,
  changed,
  extended,
  failed,
  fetched,
  NOTHING,
  replaced,
  type Change,
  type Collection,
  type Frame,
  type Rows,
} from "./records";

/** LIMIT: records asked for at a time, of many. */
const LANES = 6;
/** LIMIT: records asked for by id that a resync asks for again; the oldest are let go. */
const ASKED_MAX = 1000;
/** After so many answers of many they are taken in. */
const TAKEN_AT = 24;
/** LIMIT: records read of one kind without being asked for more. */
const READ_MAX: Record<Kind, number> = {
  alert: 200,
  report: 400,
  agreement: 1000,
  person: 4000,
  agency: 2000,
  declaration: 200,
  operation: 200,
  plan: 200,
  inquiry: 200,
  entity: 200,
  handover: 200,
  watch: 400,
  erasure: 400,
  webhook: 400,
  drawing: 200,
  query: 100,
};

class Kept {
  now = $state.raw<Collection>(NOTHING);
  /** Records asked for by id, which a resync must ask for again. */
  readonly asked = new Set<string>();
  /** Counts readings, so that an answer to an older question is not taken. */
  turn = 0;
  /** Counts departures, so that no answer comes to who came after. */
  forgotten = 0;

  constructor(readonly kind: Kind) {}

  async read(): Promise<void> {
    const turn = ++this.turn;
    this.now = began(this.now);
    const items: Rendition[] = [];
    let next: string | null = null;
    let total = 0;
    do {
      const page = await list(this.kind, next);
      if (turn !== this.turn) return;
      if (!page.done) {
        this.now = failed(this.now);
        return;
      }
      items.push(...page.value.items);
      ({ next, total } = page.value);
    } while (next !== null && items.length < READ_MAX[this.kind]);
    this.now = replaced(this.now, { items, next, total });
    void this.askAll([...this.asked]);
  }

  async older(): Promise<void> {
    const cursor = this.now.next;
    if (cursor === null) return;
    const page = await list(this.kind, cursor);
    if (page.done) this.now = extended(this.now, page.value);
  }

  /** Notes that a record was asked for by its id. */
  #note(id: string): void {
    this.asked.add(id);
    const [oldest] = this.asked;
    if (this.asked.size > ASKED_MAX && oldest !== undefined) this.asked.delete(oldest);
  }

  /** Asks for one record; false when there is none for this reader. */
  async ask(id: string): Promise<boolean> {
    this.#note(id);
    const answer = await record(this.kind, id);
    if (answer.done) {
      this.now = fetched(this.now, id, answer.value);
      return true;
    }
    if (answer.fault.status === 404) this.now = fetched(this.now, id, null);
    return this.now.rows.has(id);
  }

  /** Asks for many, a few at a time; the answers are taken in together. */
  async askAll(ids: readonly string[]): Promise<void> {
    const waiting = ids.filter(id => !this.now.rows.has(id)).reverse();
    const turn = this.forgotten;
    let changes: Change[] = [];
    const take = (): void => {
      if (turn === this.forgotten && changes.length > 0) this.now = changed(this.now, changes);
      changes = [];
    };
    const lane = async (): Promise<void> => {
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
        this.#note(id);
        const answer = await record(this.kind, id);
        if (turn !== this.forgotten) return;
        if (answer.done) changes.push({ type: "record", rendition: answer.value });
        else if (answer.fault.status === 404) changes.push({ type: "gone", ids: [id] });
        if (changes.length >= TAKEN_AT) take();
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    take();
  }

  forget(): void {
    this.turn += 1;
    this.forgotten += 1;
    this.asked.clear();
    this.now = NOTHING;
  }
}

class Store {
  readonly #kept = Object.fromEntries(KINDS.map(kind => [kind, new Kept(kind)])) as Record<
    Kind,
    Kept
  >;

  of(kind: Kind): Collection {
    return this.#kept[kind].now;
  }

  rows(kind: Kind): Rows {
    return this.#kept[kind].now.rows;
  }

  get(kind: Kind, id: string | null | undefined): Rendition | undefined {
    return id ? this.#kept[kind].now.rows.get(id) : undefined;
  }

  readAll(): void {
    for (const kind of KINDS) void this.#kept[kind].read();
  }

  read(kind: Kind): Promise<void> {
    return this.#kept[kind].read();
  }

  older(kind: Kind): Promise<void> {
    return this.#kept[kind].older();
  }

  ask(kind: Kind, id: string): Promise<boolean> {
    return this.#kept[kind].ask(id);
  }

  askAll(kind: Kind, ids: readonly string[]): Promise<void> {
    return this.#kept[kind].askAll(ids);
  }

  /** Takes a batch of frames: one replacement a kind. */
  take(frames: readonly Frame[]): void {
    const changes = new Map<Kind, Change[]>();
    const again = new Set<Kind>();
    const known = (name: string): Kind | undefined => KINDS.find(kind => kind === name);
    const add = (name: string, change: Change): void => {
      const kind = known(name);
      if (kind) changes.set(kind, [...(changes.get(kind) ?? []), change]);
    };
    for (const frame of frames) {
      if (frame.type === "record") add(frame.rendition.kind, frame);
      else if (frame.type === "gone") add(frame.kind, { type: "gone", ids: frame.ids });
      else if (frame.type === "ready" && !frame.resumed) for (const kind of KINDS) again.add(kind);
      else if (frame.type === "resync") {
        for (const name of frame.kinds) {
          const kind = known(name);
          if (kind) again.add(kind);
        }
      }
    }
    for (const [kind, batch] of changes) {
      this.#kept[kind].now = changed(this.#kept[kind].now, batch);
    }
    for (const kind of again) void this.#kept[kind].read();
  }

  /** Drops everything: the reader has gone. */
  forget(): void {
    for (const kind of KINDS) this.#kept[kind].forget();
  }
}

export const store = new Store();
