// When an entity or a relationship holds, as its original says; else when it was made and changed.

import { parseTime } from "../../kernel/dtg";
import type { Entity } from "../model";

export interface Span {
  from: number;
  to: number;
}

/** Fields of an original that say since when, the best first. */
const SINCE = ["start_time", "first_seen", "valid_from", "first_observed"];
/** Fields of an original that say until when, the best first. */
const UNTIL = ["stop_time", "last_seen", "valid_until", "last_observed"];

/** Whether it is said when the thing held, or only when it was written. */
export interface Times extends Span {
  said: boolean;
}

function original(entity: Entity): Record<string, unknown> {
  try {
    return JSON.parse(entity.body.original ?? "{}") as Record<string, unknown>;
  } catch {
    // What cannot be read says nothing of time.
    return {};
  }
}

/** The span of an entity; null when nothing is known of its time. */
export function timesOf(entity: Entity): Times | null {
  const says = original(entity);
  const first = (names: readonly string[]): number | null => {
    for (const name of names) {
      const value = says[name];
      const at = typeof value === "string" ? parseTime(value) : null;
      if (at !== null) return at;
    }
    return null;
  };
  const [since, until] = [first(SINCE), first(UNTIL)];
  const [created, modified] = [parseTime(entity.body.created), parseTime(entity.body.modified)];
  const from = since ?? created ?? until ?? modified;
  const to = until ?? modified ?? since ?? created;
  if (from === null || to === null) return null;
  return {
    from: Math.min(from, to),
    to: Math.max(from, to),
    said: since !== null || until !== null,
  };
}

/** The span that covers all; null for none. */
export function whole(spans: readonly Span[]): Span | null {
  if (spans.length === 0) return null;
  return {
    from: Math.min(...spans.map(span => span.from)),
    to: Math.max(...spans.map(span => span.to)),
  };
}

/** How many spans touch each of `n` equal parts of a whole. */
export function counts(spans: readonly Span[], of: Span, n: number): number[] {
  const wide = Math.max(1, of.to - of.from);
  const place = (at: number): number =>
    Math.max(0, Math.min(n - 1, Math.floor(((at - of.from) / wide) * n)));
  const found = Array.from({ length: n }, () => 0);
  for (const { from, to } of spans) {
    for (let k = place(from); k <= place(to); k += 1) found[k] = (found[k] ?? 0) + 1;
  }
  return found;
}

export const touches = (a: Span, b: Span): boolean => a.from <= b.to && b.from <= a.to;
