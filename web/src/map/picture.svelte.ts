// The common picture of this reader: its layers, what is chosen, frozen, past or measured.

import { list } from "../api/call";
import { wordsOf } from "../api/problem";
import type { Rendition } from "../api/records";
import type { Position } from "../drawings/model";
import { clock } from "../kernel/clock.svelte";
import { onForget } from "../kernel/forget";
import { store } from "../kernel/store.svelte";
import { session } from "../session/session.svelte";
import { changesBetween, LAYERS, thingsOf, type LayerName, type Thing } from "./things";

const KEY = "muster-map-layers";
/** How often lateness is looked at again: the picture does not change each second. */
const LOOK_MS = 10_000;

function shownLayers(): LayerName[] {
  try {
    const known = JSON.parse(localStorage.getItem(KEY) ?? "null") as unknown;
    if (Array.isArray(known)) return LAYERS.filter(name => known.includes(name));
  } catch {
    // A browser that keeps nothing shows every layer.
  }
  return [...LAYERS];
}

class Picture {
  shown: LayerName[] = $state.raw(shownLayers());
  chosen: string | null = $state(null);
  grid = $state(false);
  measuring = $state(false);
  path: readonly Position[] = $state.raw([]);
  /** What stood there when it was frozen, and when. */
  frozen: { at: number; things: readonly Thing[] } | null = $state.raw(null);
  /** The time that is looked back to; null for now. */
  past: number | null = $state(null);
  /** What was there then, once it was read. */
  then: readonly Thing[] | null = $state.raw(null);
  failed = $state("");

  #tick = $derived(Math.floor(clock.now / LOOK_MS) * LOOK_MS);
  #mine = $derived(session.me?.agency ?? "");

  live: readonly Thing[] = $derived(
    LAYERS.flatMap(layer =>
      thingsOf(layer, store.rows(layer).values(), { mine: this.#mine, now: this.#tick }),
    ),
  );
  /** What the picture is made of now: the past, the frozen, or what is live. */
  all: readonly Thing[] = $derived(
    this.past !== null ? (this.then ?? []) : (this.frozen?.things ?? this.live),
  );
  visible: readonly Thing[] = $derived(this.all.filter(({ layer }) => this.shown.includes(layer)));
  waiting = $derived(this.frozen ? changesBetween(this.frozen.things, this.live) : 0);
  thing = $derived(this.all.find(({ key, id }) => key === this.chosen || id === this.chosen));

  toggle(layer: LayerName): void {
    this.shown = LAYERS.filter(name => this.shown.includes(name) !== (name === layer));
    try {
      localStorage.setItem(KEY, JSON.stringify(this.shown));
    } catch {
      // It holds for this page.
    }
  }

  freeze(): void {
    this.frozen = this.frozen ? null : { at: clock.now, things: this.live };
  }

  measure(): void {
    this.measuring = !this.measuring;
    this.path = [];
  }

  /** Looks back to a time, or to now. */
  async look(at: number | null): Promise<void> {
    this.past = at;
    this.failed = "";
    if (at === null) {
      this.then = null;
      return;
    }
    const eyes = { mine: this.#mine, now: at };
    const asOf = new Date(at).toISOString();
    const read = await Promise.all(
      LAYERS.map(async layer => {
        const page = await list(layer, null, asOf);
        if (!page.done) throw new Error(wordsOf(page.fault));
        return thingsOf(layer, page.value.items as Rendition[], eyes);
      }),
    ).catch((fault: unknown) => fault as Error);
    if (this.past !== at) return;
    if (read instanceof Error) this.failed = read.message;
    else this.then = read.flat();
  }

  clear(): void {
    this.chosen = this.frozen = this.past = this.then = null;
    this.measuring = false;
    this.path = [];
    this.failed = "";
  }
}

export const picture = new Picture();
onForget(() => picture.clear());
