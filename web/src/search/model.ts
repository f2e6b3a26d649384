// What a search gives, and where its hits lead.

import type { Route } from "../kernel/route";
import type { Label } from "../labels/label";

export interface Piece {
  text: string;
  match: boolean;
}

export interface Hit {
  kind: string;
  id: string;
  agency: string;
  title: string | null;
  state: string | null;
  label: Label;
  mark: string;
  snippet: Piece[];
  changed_at: string;
}

export interface Hits {
  items: Hit[];
  /** Null while the index is behind. */
  total: number | null;
  kinds: { kind: string; records: number }[];
  agencies: { agency: string; records: number }[];
  next: string | null;
}

/** The pages on which records of a kind are shown by their id. */
const PAGES: Record<
  string,
  | "watch"
  | "reports"
  | "entities"
  | "operations"
  | "agreements"
  | "people"
  | "plans"
  | "erasures"
  | "webhooks"
  | "agencies"
  | "inquiries"
  | "map"
> = {
  alert: "watch",
  report: "reports",
  entity: "entities",
  operation: "operations",
  agreement: "agreements",
  person: "people",
  agency: "agencies",
  inquiry: "inquiries",
  plan: "plans",
  erasure: "erasures",
  webhook: "webhooks",
  drawing: "map",
};

/** Where a hit leads; null for a kind that has no page of its own. */
export function routeOfHit({ kind, id }: Pick<Hit, "kind" | "id">): Route | null {
  const page = PAGES[kind];
  return page === undefined ? null : { page, id };
}
