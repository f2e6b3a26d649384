// Records of one kind as this reader has them, and what the live stream and the lists do to them.
//
// Pure: each function gives a new collection and leaves the old one as it was.

import type { Rendition } from "../api/records";

export type Rows = ReadonlyMap<string, Rendition>;

/** What the server says over the live stream. */
export type Frame =
  | { type: "ready"; resumed?: boolean }
  | { type: "record"; rendition: Rendition }
  | { type: "gone"; kind: string; ids: string[] }
  | { type: "resync"; kinds: string[] }
  | { type: "at"; cursor: string }
  | { type: "signed_out" };

/** What is known of one kind. */
export interface Collection {
  rows: Rows;
  /** `never` until the first list was read; then whether a list is being read again. */
  reading: "never" | "first" | "again" | "no";
  /** How many there are by the server's word, readable and not yet read ones together. */
  total: number;
  /** Where the next older page begins; null when all were read. */
  next: string | null;
  /** Changes that came while a list was being read: the list may be older than they are. */
  since: readonly Change[];
}

export type Change =
  { type: "record"; rendition: Rendition } | { type: "gone"; ids: readonly string[] };

export const NOTHING: Collection = {
  rows: new Map(),
  reading: "never",
  total: 0,
  next: null,
  since: [],
};

function put(rows: Map<string, Rendition>, rendition: Rendition): void {
  const known = rows.get(rendition.id);
  // A list may be older or newer than a frame; the newer rendition stays.
  if (known && known.changed_at > rendition.changed_at) return;
  rows.set(rendition.id, rendition);
}

function apply(rows: Map<string, Rendition>, change: Change): void {
  if (change.type === "record") put(rows, change.rendition);
  else for (const id of change.ids) rows.delete(id);
}

/** Applies a batch of changes; while a list is being read they are kept for it as well. */
export function changed(of: Collection, changes: readonly Change[]): Collection {
  const reading = of.reading === "first" || of.reading === "again";
  // What was not there and is gone changes nothing: whoever looks on is not woken to ask again.
  const empty = changes.every(
    change => change.type === "gone" && change.ids.every(id => !of.rows.has(id)),
  );
  if (empty && !reading) return of;
  const rows = new Map(of.rows);
  for (const change of changes) apply(rows, change);
  const since = reading ? [...of.since, ...changes] : of.since;
  const total = Math.max(of.total, rows.size);
  return { ...of, rows, since, total };
}

/** A list begins to be read. */
export function began(of: Collection): Collection {
  return { ...of, reading: of.reading === "never" ? "first" : "again", since: [] };
}

export interface Read {
  items: readonly Rendition[];
  next: string | null;
  total: number;
}

/**
 * A list was read anew: what is not in it is dropped, unless it came since then.
 *
 * INVARIANT: after this no row is older than the list, so a row that may no longer be read is gone.
 */
export function replaced(of: Collection, read: Read): Collection {
  const rows = new Map<string, Rendition>();
  for (const item of read.items) rows.set(item.id, item);
  for (const change of of.since) apply(rows, change);
  return { rows, reading: "no", total: read.total, next: read.next, since: [] };
}

/** An older page was read: it adds to what is there and overrides nothing that is newer. */
export function extended(of: Collection, read: Read): Collection {
  const rows = new Map(of.rows);
  for (const item of read.items) put(rows, item);
  return { ...of, rows, total: read.total, next: read.next };
}

/** One record was asked for by its id; null when there is none for this reader. */
export function fetched(of: Collection, id: string, rendition: Rendition | null): Collection {
  return changed(of, [rendition ? { type: "record", rendition } : { type: "gone", ids: [id] }]);
}

/** Reading a list failed: what was there stays, and is known to be old. */
export function failed(of: Collection): Collection {
  return { ...of, reading: of.reading === "first" ? "never" : "no", since: [] };
}
