// The roster: what a handover is to a reader.

import { bodyOf, type Rendition } from "../api/records";
import type { Label } from "../labels/label";

/** The body of a handover; what is absent was erased. */
export interface HandoverBody {
  seat?: string;
  from?: string;
  to?: string;
  /** What the incoming officer signs. */
  digest?: string;
  alerts?: { alert: string; asks: boolean; overdue: boolean }[];
  operations?: string[];
  notes?: string | null;
}

export interface Handover {
  rendition: Rendition;
  id: string;
  label: Label;
  mark: string;
  body: HandoverBody;
}

/** Reads a rendition; null for one without a layer. */
export function readHandover(rendition: Rendition): Handover | null {
  const base = rendition.layers[0];
  if (!base) return null;
  return {
    rendition,
    id: rendition.id,
    label: base.label,
    mark: base.mark,
    body: bodyOf<HandoverBody>(base),
  };
}
