// The entities of this reader that were read, and the import that goes on, whatever page is open.

import { act, ask } from "../api/call";
import { wordsOf } from "../api/problem";
import type { Rendition } from "../api/records";
import { store } from "../kernel/store.svelte";
import type { Marking, Markings } from "../labels/label";
import { cut, nameOf, objectsOf, type Job } from "./bundle";
import { entityOf, type Entity } from "./model";

/** Each rendition is read once, however often others change. */
const read = new WeakMap<Rendition, Entity | null>();

function entityRead(rendition: Rendition): Entity | null {
  const known = read.get(rendition);
  if (known !== undefined) return known;
  const entity = entityOf(rendition);
  read.set(rendition, entity);
  return entity;
}

class Entities {
  all: readonly Entity[] = $derived(
    [...store.rows("entity").values()].map(entityRead).filter(entity => entity !== null),
  );
  byId = $derived(new Map(this.all.map(entity => [entity.id, entity])));
  ordered = $derived(
    [...this.all].sort((a, b) => b.rendition.changed_at.localeCompare(a.rendition.changed_at)),
  );
}

export interface Tally {
  accepted: number;
  unchanged: number;
  older: number;
  held: Record<string, number>;
}

/** What the levels of the Traffic Light Protocol become. */
export const LEVELS = ["clear", "green", "amber", "amber_strict", "red"] as const;
export type LevelTable = Record<(typeof LEVELS)[number], Marking>;

export interface Settings {
  markings: Markings;
  scheme: string;
  table: LevelTable;
}

const nothing = (): Tally => ({ accepted: 0, unchanged: 0, older: 0, held: {} });

function add(a: Tally, b: Tally): Tally {
  const held = { ...a.held };
  for (const [reason, n] of Object.entries(b.held)) held[reason] = (held[reason] ?? 0) + n;
  return {
    accepted: a.accepted + b.accepted,
    unchanged: a.unchanged + b.unchanged,
    older: a.older + b.older,
    held,
  };
}

const BUSY_MS = 500;
/** How often a full lane is asked again before the import stops and can be continued. */
const BUSY_MAX = 20;

/** One import at a time: cut here, decided by the node, continued where it stopped. */
class Import {
  file = $state("");
  state = $state<"none" | "reading" | "running" | "stopped" | "done" | "no-bundle">("none");
  done = $state(0);
  objects = $state(0);
  tally = $state.raw<Tally>(nothing());
  fault = $state("");
  #job: Job | null = null;
  #name = "";
  #next = 0;
  #settings: Settings | null = null;

  async begin(file: string, text: string, settings: Settings): Promise<void> {
    this.forget();
    this.file = file;
    this.state = "reading";
    const objects = objectsOf(text);
    if (objects === null || objects.length === 0) {
      this.state = "no-bundle";
      return;
    }
    this.#settings = settings;
    this.#name = await nameOf(JSON.stringify([settings, text]));
    this.#job = cut(objects);
    this.objects = objects.length;
    this.tally = { ...nothing(), held: { ...this.#job.held } };
    this.done = Object.values(this.#job.held).reduce((a, b) => a + b, 0);
    await this.run();
  }

  /** Goes on with the first act that is not known to be done; its key makes it count once. */
  async run(): Promise<void> {
    const [job, settings, name] = [this.#job, this.#settings, this.#name];
    if (!job || !settings) return;
    this.state = "running";
    this.fault = "";
    for (let busy = 0; this.#next < job.parts.length;) {
      const part = job.parts[this.#next];
      if (!part) break;
      const table = { scheme: settings.scheme, ...settings.table };
      const command = { markings: settings.markings, table, ...part };
      const told = await ask<Tally>("/api/entities/preview", command);
      const writes =
        told.done &&
        told.value.accepted + told.value.older + (told.value.held["other-content"] ?? 0) > 0;
      const key = `import-${name}-${String(this.#next)}`;
      const outcome = writes ? await act("/api/entities", key, command) : told;
      if (name !== this.#name) return;
      if (!outcome.done || !told.done) {
        const fault = outcome.done ? null : outcome.fault;
        if (fault?.slug === "busy" && busy < BUSY_MAX) {
          busy += 1;
          await new Promise(then => setTimeout(then, BUSY_MS));
          continue;
        }
        this.state = "stopped";
        this.fault = fault ? wordsOf(fault) : "";
        return;
      }
      busy = 0;
      this.tally = add(this.tally, told.value);
      this.done += part.objects.length;
      this.#next += 1;
    }
    this.state = "done";
    await store.read("entity");
  }

  forget(): void {
    this.#job = null;
    this.#name = "";
    this.#next = 0;
    this.state = "none";
    this.fault = "";
    this.done = 0;
    this.objects = 0;
    this.tally = nothing();
  }
}

export const entities = new Entities();
export const importing = new Import();
