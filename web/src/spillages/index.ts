// Spillages: labels that were raised after the fact. Pages stand beside this file.

import type { Rendition } from "../api/records";

/** The path of the list, as in the address. */
export const path = "/spillages";

export interface Spillage {
  rendition: Rendition;
  id: string;
  mark: string;
  /** The record that was contained. */
  record: string | undefined;
  /** Absent when it was erased. */
  reason: string | undefined;
}

/** Reads a rendition; null for one without a layer. */
export function readSpillage(rendition: Rendition): Spillage | null {
  const base = rendition.layers[0];
  if (!base) return null;
  const said = (field: string): string | undefined => {
    const value: unknown = base.body[field];
    return typeof value === "string" ? value : undefined;
  };
  return {
    rendition,
    id: rendition.id,
    mark: base.mark,
    record: said("record"),
    reason: said("reason"),
  };
}

/** Whether a record is an agency's own, so that its desk may raise the label. */
export function originates(rendition: Rendition, agency: string): boolean {
  const originators: unknown = rendition.layers[0]?.label["originators"];
  return Array.isArray(originators) && originators.includes(agency);
}
