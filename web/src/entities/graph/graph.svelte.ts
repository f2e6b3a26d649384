// The link graph that somebody works on: it stays while pages change, and goes with the session.

import { related } from "../../api/call";
import { wordsOf } from "../../api/problem";
import { onForget } from "../../kernel/forget";
import { store } from "../../kernel/store.svelte";
import { entities } from "../entities.svelte";
import type { Entity, RelatedAnswer } from "../model";
import { collapsed, expanded, netOf, sifted, type Drawn, type Net } from "./net";
import { wayBetween, type Way } from "./path";
import { timesOf, touches, whole, type Span, type Times } from "./time";

class Graph {
  net: Net | null = $state.raw(null);
  /** Types of entities and kinds of relationships that are hidden. */
  types: ReadonlySet<string> = $state.raw(new Set());
  kinds: ReadonlySet<string> = $state.raw(new Set());
  /** The span of time that is looked at; null for all. */
  span: Span | null = $state.raw(null);
  /** How it is laid out: by forces, or in rings around the centre. */
  layout = $state<"forces" | "rings">("forces");
  node = $state<string | null>(null);
  edge = $state<string | null>(null);
  asking: ReadonlySet<string> = $state.raw(new Set());
  failed = $state("");
  /** Where a path begins; the next entity chosen for it is its end. */
  pathFrom = $state<string | null>(null);
  pathEnds: { from: string; to: string } | null = $state.raw(null);
  way: Way | null = $state.raw(null);
  asked = $state(0);
  #search = 0;

  #times = new WeakMap<Entity, Times | null>();

  /** The record of an entity or a relationship, while it may be shown. */
  record(id: string): Entity | undefined {
    return entities.byId.get(id);
  }

  times(id: string): Times | null {
    const entity = this.record(id);
    if (!entity) return null;
    const known = this.#times.get(entity);
    if (known !== undefined) return known;
    const times = timesOf(entity);
    this.#times.set(entity, times);
    return times;
  }

  /** What would be drawn at any time: what the brush chooses from. */
  timeless: Drawn = $derived.by(() => this.#sift(() => true));
  spans = $derived(this.timeless.edges.flatMap(({ id }) => this.times(id) ?? []));
  whole: Span | null = $derived(whole(this.spans));
  drawn: Drawn = $derived.by(() => {
    const span = this.span;
    if (span === null) return this.timeless;
    return this.#sift(id => {
      const times = this.times(id);
      return times === null || touches(times, span);
    });
  });

  #sift(within: (id: string) => boolean): Drawn {
    if (!this.net) return { nodes: [], edges: [] };
    const known = (id: string): boolean => this.record(id) !== undefined;
    return sifted(this.net, { known, types: this.types, kinds: this.kinds, within });
  }

  /** Begins at an entity, unless it is where the graph begins already. */
  begin(id: string): void {
    if (this.net?.centre === id) return;
    this.clear();
    this.net = netOf({ id, type: "", title: "" });
    this.node = id;
    void this.expand(id);
  }

  async expand(id: string): Promise<void> {
    if (!this.net || this.asking.has(id) || this.net.expanded.has(id)) return;
    const { centre } = this.net;
    this.asking = new Set(this.asking).add(id);
    const answer = await this.#ask(id);
    this.asking = new Set([...this.asking].filter(one => one !== id));
    if (!answer || this.net.centre !== centre) return;
    this.net = expanded(this.net, id, answer.items, answer.more);
    await this.#read(id);
  }

  collapse(id: string): void {
    if (!this.net) return;
    this.net = collapsed(this.net, id);
    if (this.node !== null && !this.net.nodes.has(this.node)) this.node = id;
    if (this.edge !== null && !this.net.edges.has(this.edge)) this.edge = null;
    this.clearPath();
  }

  choose(node: string | null): void {
    this.node = node;
    this.edge = null;
  }

  chooseEdge(edge: string): void {
    this.edge = edge;
    this.node = null;
  }

  /** Begins a path, or ends the one that was begun. */
  async path(id: string): Promise<void> {
    if (this.pathFrom === null) {
      this.clearPath();
      this.pathFrom = id;
      return;
    }
    const ends = { from: this.pathFrom, to: id };
    this.clearPath();
    this.pathEnds = ends;
    const search = this.#search;
    const way = await wayBetween(ends.from, ends.to, {
      ask: one => this.#ask(one),
      stopped: () => search !== this.#search,
      asking: n => (this.asked = n),
    });
    if (search !== this.#search || !this.net) return;
    if (way.end === "found") {
      for (const { from, item } of way.steps) {
        const { left, more } = this.net.expanded.get(from) ?? { left: 0, more: false };
        const open = this.net.expanded.has(from);
        const grown = expanded(this.net, from, [item], more);
        // One step of a path is not all that is related.
        const asked = new Map(grown.expanded);
        if (open) asked.set(from, { left, more });
        else asked.delete(from);
        this.net = { ...grown, expanded: asked };
      }
      await this.#read(ends.from);
    }
    this.way = way;
  }

  clearPath(): void {
    this.#search += 1;
    this.pathFrom = null;
    this.pathEnds = null;
    this.way = null;
    this.asked = 0;
  }

  /** What is related to an entity. */
  async #ask(id: string): Promise<RelatedAnswer | null> {
    const answer = await related<RelatedAnswer>(id);
    this.failed = answer.done ? "" : wordsOf(answer.fault);
    return answer.done ? answer.value : null;
  }

  /** Reads the records of all that is in the net: nothing is drawn before its label is known. */
  async #read(of: string): Promise<void> {
    if (!this.net) return;
    this.asking = new Set(this.asking).add(of);
    await store.askAll("entity", [...this.net.nodes.keys(), ...this.net.edges.keys()]);
    this.asking = new Set([...this.asking].filter(one => one !== of));
  }

  clear(): void {
    this.clearPath();
    this.net = null;
    this.types = new Set();
    this.kinds = new Set();
    this.span = null;
    this.node = null;
    this.edge = null;
    this.asking = new Set();
    this.failed = "";
  }
}

export const graph = new Graph();

onForget(() => graph.clear());
