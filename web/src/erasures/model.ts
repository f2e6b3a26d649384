// What an erasure is to a reader: a request, and the certificate that it becomes.

import { bodyOf, type Rendition } from "../api/records";
import type { Route } from "../kernel/route";
import type { Label } from "../labels/label";
import type { Status } from "../ui/status";

/** The body of a layer; an order has one portion for each layer that it reached. */
export interface ErasureBody {
  record?: string;
  /** The layer meant; null for all that the approver may read. */
  layer?: string | null;
  /** The kind of the record: `alert`. */
  noun?: string;
  basis?: string;
  requested_by?: string | null;
  requested_at?: string;
  reason?: string;
  declined_by?: string | null;
  approved_by?: string | null;
  erased_at?: string;
  portions?: number;
  /** From when on no copy and no backup can be opened either. */
  copies_until?: string;
}

export interface Erasure {
  rendition: Rendition;
  id: string;
  agency: string;
  label: Label;
  mark: string;
  body: ErasureBody;
  /** Portions that were erased, in every layer that this reader may read. */
  portions: number;
}

/** Reads a rendition; null for one without a layer. */
export function erasureOf(rendition: Rendition): Erasure | null {
  const base = rendition.layers[0];
  if (!base) return null;
  const { id, agency } = rendition;
  const portions = rendition.layers
    .map(layer => bodyOf<ErasureBody>(layer).portions ?? 0)
    .reduce((sum, some) => sum + some, 0);
  const { label, mark } = base;
  return { rendition, id, agency, label, mark, body: bodyOf<ErasureBody>(base), portions };
}

export type ErasureWord = "requested" | "declined" | "erased" | "unknown";

const STATES: Record<Exclude<ErasureWord, "unknown">, Status> = {
  requested: "caution",
  erased: "normal",
  declined: "off",
};

/** How an erasure stands. */
export function stateOf(of: Erasure): { status: Status; word: ErasureWord } {
  const known = Object.keys(STATES) as (keyof typeof STATES)[];
  const word = known.find(one => one === of.rendition.state);
  return word ? { status: STATES[word], word } : { status: "off", word: "unknown" };
}

export type Deed = "approve" | "decline" | "withdraw";

/** What the state leaves room for: whoever asked takes the request back, anybody else decides. */
export function deeds(of: Erasure, me: string | null): Deed[] {
  const asker = of.body.requested_by ?? null;
  if (stateOf(of).word !== "requested") return [];
  return asker !== null && asker === me ? ["withdraw"] : ["approve", "decline"];
}

/** What waits for a decision first, then the newest. */
export function ordered(all: readonly Erasure[]): Erasure[] {
  const rank = (one: Erasure): number => (stateOf(one).word === "requested" ? 0 : 1);
  const at = ({ body }: Erasure): string => body.requested_at ?? "";
  return [...all].sort((a, b) => rank(a) - rank(b) || at(b).localeCompare(at(a)));
}

/** The page that shows a record of a kind; null when there is none. */
export function routeOf(noun: string | undefined, id: string): Route | null {
  if (noun === "alert") return { page: "watch", id };
  if (noun === "report") return { page: "reports", id };
  if (noun === "operation") return { page: "operations", id };
  if (noun === "entity") return { page: "entities", id };
  return noun === "handover" ? { page: "roster" } : null;
}

/** Facts of a record that were erased, in every layer that this reader may read. */
export function erasedOf(rendition: Rendition): number {
  return rendition.layers.reduce((sum, layer) => sum + layer.erased, 0);
}
