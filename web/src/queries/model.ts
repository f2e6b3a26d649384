// Standing queries: what this reader keeps looking for.

import { bodyOf, type Rendition } from "../api/records";
import type { Label } from "../labels/label";
import type { Hits } from "../search/model";

export interface QueryBody {
  name?: string;
  /** In the language of the search box. */
  query?: string;
  kept_at?: string;
  seen_at?: string;
}

export interface Query {
  id: string;
  label: Label;
  mark: string;
  body: QueryBody;
}

/** What a query finds now, and how much of it changed since it was last seen. */
export interface QueryHits extends Hits {
  /** Null while the index is behind. */
  new: number | null;
}

export interface News {
  items: { id: string; new: number | null }[];
}

/** Reads a rendition; null for one without a layer, or of a query that is kept no more. */
export function readQuery(rendition: Rendition): Query | null {
  const base = rendition.layers[0];
  if (!base || rendition.state !== "kept") return null;
  return { id: rendition.id, label: base.label, mark: base.mark, body: bodyOf<QueryBody>(base) };
}
