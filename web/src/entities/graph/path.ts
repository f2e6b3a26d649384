// The shortest way between two entities, by asking the node for one entity after the other.

import type { Related } from "../model";
import { edgeOf, type Edge } from "./net";

/** LIMIT: entities asked about for one path. */
export const ASKED_MAX = 60;
/** LIMIT: relationships of a path. */
export const DEPTH_MAX = 4;

export interface Step {
  edge: Edge;
  /** What it leads to, and what the node said of it. */
  to: string;
  item: Related;
  from: string;
}

export type Way =
  | { end: "found"; steps: Step[]; asked: number }
  /** There is none of at most `DEPTH_MAX` relationships. */
  | { end: "none"; asked: number }
  /** The search stopped before it had looked everywhere. */
  | { end: "bounded"; asked: number }
  | { end: "stopped"; asked: number };

export interface Search {
  /** What is related to an entity; null when it cannot be said. */
  ask(id: string): Promise<{ items: readonly Related[]; more: boolean } | null>;
  /** Whether it was called off. */
  stopped(): boolean;
  /** Told before each question. */
  asking?(n: number): void;
}

/** Looks breadth-first, so that the first way found is a shortest one. */
export async function wayBetween(from: string, to: string, search: Search): Promise<Way> {
  if (from === to) return { end: "found", steps: [], asked: 0 };
  const reached = new Map<string, Step | null>([[from, null]]);
  let [border, asked, cut] = [[from], 0, false];
  for (let depth = 0; depth < DEPTH_MAX && border.length > 0; depth += 1) {
    const next: string[] = [];
    for (const id of border) {
      if (search.stopped()) return { end: "stopped", asked };
      if (asked >= ASKED_MAX) return { end: "bounded", asked };
      asked += 1;
      search.asking?.(asked);
      const answer = await search.ask(id);
      // What was not answered, or not answered whole, may have hidden the way.
      cut ||= answer === null || answer.more;
      for (const item of answer?.items ?? []) {
        if (reached.has(item.entity)) continue;
        reached.set(item.entity, { edge: edgeOf(id, item), to: item.entity, item, from: id });
        if (item.entity === to) return { end: "found", steps: stepsTo(to, reached), asked };
        next.push(item.entity);
      }
    }
    border = next;
  }
  return { end: cut || border.length > 0 ? "bounded" : "none", asked };
}

function stepsTo(to: string, reached: ReadonlyMap<string, Step | null>): Step[] {
  const steps: Step[] = [];
  for (let step = reached.get(to); step; step = reached.get(step.from)) steps.unshift(step);
  return steps;
}
