// Watches: who will sit where, from when to when. The page of the roster shows them.

import { bodyOf, type Rendition } from "../api/records";
import { parseTime } from "../kernel/dtg";
import type { Label } from "../labels/label";

interface Body {
  seat: string;
  person: string | null;
  starts_at: string;
  ends_at: string;
}

export interface Watch {
  id: string;
  agency: string;
  label: Label;
  mark: string;
  body: Partial<Body>;
  startsAt: number;
  endsAt: number;
}

/** Reads a rendition; null for one that was cancelled or erased, or has no layer. */
export function readWatch(rendition: Rendition): Watch | null {
  const base = rendition.layers[0];
  if (!base || rendition.state !== "planned") return null;
  const body = bodyOf<Body>(base);
  const [startsAt, endsAt] = [parseTime(body.starts_at), parseTime(body.ends_at)];
  if (startsAt === null || endsAt === null) return null;
  const { id, agency } = rendition;
  return { id, agency, label: base.label, mark: base.mark, body, startsAt, endsAt };
}

/** Those that have not ended, the next first. */
export const ahead = (all: readonly Watch[], now: number): Watch[] =>
  all.filter(one => one.endsAt > now).sort((a, b) => a.startsAt - b.startsAt);

/** Whether another watch on the same seat is at the same time. */
export const overlaps = (one: Watch, all: readonly Watch[]): boolean =>
  all.some(
    other =>
      other.id !== one.id &&
      other.body.seat === one.body.seat &&
      other.startsAt < one.endsAt &&
      one.startsAt < other.endsAt,
  );

/** A time as it is typed, in UTC, as `2026-11-24 06:00`; null when it is none. */
export function typedTime(text: string): string | null {
  const found = /^\s*(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)\s*Z?\s*$/.exec(text);
  const ms = found ? Date.parse(`${found[1]}T${found[2]}:00.000Z`) : NaN;
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
