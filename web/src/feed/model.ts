// The feed: records of every kind in one order, what changed last first.

import type { Kind, Rendition } from "../api/records";
import { levelName, type Label } from "../labels/label";
import { titleIn } from "../search/preview";
import type { Collection } from "../kernel/records";

export interface Entry {
  id: string;
  kind: Kind;
  title: string | null;
  agency: string;
  changed: string;
  label: Label;
  mark: string;
  /** `NAT 3`: the levels of its schemes, for filtering. */
  levels: string[];
  /** Distinguishes a record from what it was before it changed. */
  etag: string;
}

const known = new WeakMap<Rendition, Entry | null>();

/** Reads a rendition once; null for one without a layer. */
export function entryOf(rendition: Rendition): Entry | null {
  const before = known.get(rendition);
  if (before !== undefined) return before;
  const base = rendition.layers[0];
  const entry: Entry | null = base
    ? {
        id: rendition.id,
        kind: rendition.kind as Kind,
        title: titleIn(base),
        agency: rendition.agency,
        changed: rendition.changed_at,
        label: base.label,
        mark: base.mark,
        levels: Object.entries(base.label.markings).map(([scheme, { level }]) =>
          levelKey(scheme, level),
        ),
        etag: rendition.etag,
      }
    : null;
  known.set(rendition, entry);
  return entry;
}

export const levelKey = (scheme: string, level: number): string => `${scheme} ${level}`;

/** The name of a level by its key. */
export function levelOf(key: string): string {
  const at = key.lastIndexOf(" ");
  const scheme = key.slice(0, at);
  return `${levelName(scheme, Number(key.slice(at + 1)))} (${scheme})`;
}

const newer = (a: Entry, b: Entry): number =>
  a.changed === b.changed ? (a.id < b.id ? -1 : 1) : a.changed > b.changed ? -1 : 1;

export interface Merged {
  entries: Entry[];
  /** Kinds whose older records must be read before the feed can go further back. */
  wants: Kind[];
}

/**
 * Merges all kinds into one order.
 *
 * INVARIANT: it goes back only as far as every kind was read, so that an older page never puts a
 * record between those that are shown. Of one moment there may be more than was read.
 */
export function merged(kinds: readonly (readonly [Kind, Collection])[]): Merged {
  let floor = "";
  const oldest = new Map<Kind, string>();
  for (const [kind, { rows, next }] of kinds) {
    if (next === null || rows.size === 0) continue;
    let last = "￿";
    for (const { changed_at } of rows.values()) if (changed_at < last) last = changed_at;
    oldest.set(kind, last);
    if (last > floor) floor = last;
  }
  const entries: Entry[] = [];
  for (const [, { rows }] of kinds) {
    for (const rendition of rows.values()) {
      const entry = rendition.changed_at > floor ? entryOf(rendition) : null;
      if (entry) entries.push(entry);
    }
  }
  entries.sort(newer);
  const wants = [...oldest].filter(([, last]) => last === floor).map(([kind]) => kind);
  return { entries, wants };
}

export interface Filter {
  kind: string;
  agency: string;
  level: string;
}

export const fitsFilter = ({ kind, agency, level }: Filter, entry: Entry): boolean =>
  (kind === "" || entry.kind === kind) &&
  (agency === "" || entry.agency === agency) &&
  (level === "" || entry.levels.includes(level));

/** What came or changed since the list was held. */
export function freshIn(held: readonly Entry[], now: readonly Entry[]): number {
  const had = new Map(held.map(entry => [entry.id, entry.etag]));
  const top = held[0]?.changed ?? "";
  let n = 0;
  for (const entry of now) {
    // The rest is as old as what is held.
    if (entry.changed < top) break;
    const before = had.get(entry.id);
    if (before === undefined ? entry.changed > top : before !== entry.etag) n += 1;
  }
  return n;
}

/** The rows that are drawn of a list: what is seen, and a few on both sides. */
export function windowOf(
  scroll: number,
  height: number,
  row: number,
  count: number,
): { from: number; to: number } {
  const BESIDE = 8;
  const from = Math.max(0, Math.min(count, Math.floor(scroll / row)) - BESIDE);
  return { from, to: Math.min(count, Math.ceil((scroll + height) / row) + BESIDE) };
}
