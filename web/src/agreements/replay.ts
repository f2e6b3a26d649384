// A replay, as the node answers it, and the next version of an agreement while it is drafted.

import type { Agreement, Clause } from "../api/records";
import { pathOf } from "../kernel/route";
import type { Label } from "../labels/label";

export interface Turn {
  agency: string;
  kind: string;
  records: number;
  /** The newest of them. */
  named: {
    id: string;
    title: string | null;
    label: Label;
    mark: string;
    /** How many portions turn, of how many. */
    layers: number;
    of: number;
  }[];
}

export interface Replay {
  /** When both sets of rules were asked. */
  at: string;
  /** Whether that is the draft's beginning, and not now. */
  later: boolean;
  records: number;
  cut: boolean;
  suspended: boolean;
  starting: Turn[];
  stopping: Turn[];
}

/** Pages that show one record of a kind. */
export const PAGES = {
  alert: "watch",
  report: "reports",
  entity: "entities",
  operation: "operations",
  plan: "plans",
  agreement: "agreements",
} as const;

/** The address of a record; none for a kind without a page. */
export const addressOf = (kind: string, id: string): string | undefined =>
  Object.hasOwn(PAGES, kind) ? pathOf({ page: PAGES[kind as keyof typeof PAGES], id }) : undefined;

/** How a clause is drafted: up to which level of each scheme it reaches, and whether it stays. */
export interface Drafted {
  levels: Record<string, number>;
  dropped: boolean;
}

export const draftedOf = (clause: Clause): Drafted => ({
  levels: Object.fromEntries(
    Object.entries(clause.limits.ceilings).map(([scheme, ceiling]) => [scheme, ceiling.level]),
  ),
  dropped: false,
});

/** The next version of a text: a clause that is changed has the version of the text. */
export function nextVersion(
  text: Agreement,
  drafted: Readonly<Record<string, Drafted>>,
): { agreement: Agreement; changed: boolean } {
  const version = text.version + 1;
  const clauses = text.clauses.flatMap(clause => {
    const draft = drafted[clause.id];
    if (!draft) return [clause];
    if (draft.dropped) return [];
    const ceilings = Object.fromEntries(
      Object.entries(clause.limits.ceilings).map(([scheme, ceiling]) => [
        scheme,
        { ...ceiling, level: draft.levels[scheme] ?? ceiling.level },
      ]),
    );
    const same = JSON.stringify(ceilings) === JSON.stringify(clause.limits.ceilings);
    return [same ? clause : { ...clause, version, limits: { ...clause.limits, ceilings } }];
  });
  const changed = JSON.stringify(clauses) !== JSON.stringify(text.clauses);
  return { agreement: { ...text, version, clauses }, changed };
}
