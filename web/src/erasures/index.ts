// Erasures: what a erasure is to a reader. Pages stand beside this file.

import type { Rendition } from "../api/records";

/** The path of the list, as in the address. */
export const path = "/erasures";

export interface Erasure {
  rendition: Rendition;
  id: string;
  mark: string;
  /** Absent when it was erased. */
  title: string | undefined;
}

/** Reads a rendition; null for one without a layer. */
export function readErasure(rendition: Rendition): Erasure | null {
  const base = rendition.layers[0];
  if (!base) return null;
  const said: unknown = base.body["title"];
  const title = typeof said === "string" ? said : undefined;
  return { rendition, id: rendition.id, mark: base.mark, title };
}
