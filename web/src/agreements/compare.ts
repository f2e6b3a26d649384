// Two texts of an agreement beside each other: which terms and clauses differ, and in which words.

import { diffWordsWithSpace } from "diff";
import type { Agreement, Clause } from "../api/records";
import { levelName } from "../labels/label";
import { clauseWords, equivalenceWords, keepingWords, spanWords, type NameOf } from "./prose";

export interface Piece {
  text: string;
  /** In both, only in the text before, only in the text after. */
  in: "both" | "before" | "after";
}

export type Change = "same" | "added" | "removed" | "changed";

/** One field of what the machine executes. */
export interface Field {
  name: FieldName;
  before: string;
  after: string;
  change: Change;
}

export interface Row {
  id: string;
  change: Change;
  /** Its versions; null where it does not stand. */
  versions: [number | null, number | null];
  pieces: Piece[];
  fields: Field[];
}

export const FIELDS = [
  "effect",
  "actions",
  "grantors",
  "grantees",
  "ceilings",
  "caveats",
  "discloses",
  "purposes",
  "training",
  "force",
] as const;
export type FieldName = (typeof FIELDS)[number];

const list = (codes: readonly string[] | undefined): string => [...(codes ?? [])].sort().join(", ");

/** A clause as the machine executes it, field by field. */
export function fieldsOf(clause: Clause, nameOf: NameOf): Record<FieldName, string> {
  const ceilings = Object.entries(clause.limits.ceilings).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    effect: clause.effect,
    actions: list(clause.actions),
    grantors: list(clause.grantors.map(nameOf)),
    grantees: list(
      clause.grantees.map(({ agency, roles }) =>
        roles === "any" ? nameOf(agency) : `${nameOf(agency)} (${list(roles.only)})`,
      ),
    ),
    ceilings: ceilings
      .map(([scheme, { level, compartments = [] }]) => {
        const codes = compartments.length > 0 ? ` + ${list(compartments)}` : "";
        return `${scheme} ≤ ${levelName(scheme, level)}${codes}`;
      })
      .join("; "),
    caveats: list(clause.limits.caveats_excluded),
    discloses: clause.discloses,
    purposes: list(clause.purposes),
    training: list(clause.training),
    force: spanWords(clause.force),
  };
}

const changeOf = (before: unknown, after: unknown): Change => {
  if (before === undefined) return "added";
  if (after === undefined) return "removed";
  return JSON.stringify(before) === JSON.stringify(after) ? "same" : "changed";
};

/** The words of both texts in one order. */
export function pieces(before: string, after: string): Piece[] {
  if (before === after) return [{ text: before, in: "both" }];
  if (before === "" || after === "") {
    return [{ text: before || after, in: before === "" ? "after" : "before" }];
  }
  return diffWordsWithSpace(before, after).map(({ value, added, removed }) => ({
    text: value,
    in: added ? "after" : removed ? "before" : "both",
  }));
}

function row(
  id: string,
  before: Clause | undefined,
  after: Clause | undefined,
  nameOf: NameOf,
): Row {
  const bare = (clause: Clause | undefined): unknown => clause && { ...fieldsOf(clause, nameOf) };
  const [was, is] = [before && fieldsOf(before, nameOf), after && fieldsOf(after, nameOf)];
  return {
    id,
    change: changeOf(bare(before), bare(after)),
    versions: [before?.version ?? null, after?.version ?? null],
    pieces: pieces(
      before ? clauseWords(before, nameOf) : "",
      after ? clauseWords(after, nameOf) : "",
    ),
    fields: FIELDS.map(name => ({
      name,
      before: was?.[name] ?? "",
      after: is?.[name] ?? "",
      change: changeOf(was?.[name], is?.[name]),
    })),
  };
}

/** Clauses of both texts, aligned: in the order after, each removed one where it stood. */
export function clauseRows(before: Agreement, after: Agreement, nameOf: NameOf): Row[] {
  const was = new Map(before.clauses.map(clause => [clause.id, clause]));
  const is = new Map(after.clauses.map(clause => [clause.id, clause]));
  const order = after.clauses.map(clause => clause.id);
  before.clauses.forEach(({ id }, n) => {
    if (is.has(id)) return;
    const previous = before.clauses[n - 1];
    const at = previous ? order.indexOf(previous.id) + 1 : 0;
    order.splice(at, 0, id);
  });
  return order.map(id => row(id, was.get(id), is.get(id), nameOf));
}

export const TERMS = [
  "title",
  "parties",
  "basis",
  "purposes",
  "force",
  "retention",
  "equivalences",
] as const;
export type TermName = (typeof TERMS)[number];

/** What stands around the clauses. */
function termsOf(text: Agreement, nameOf: NameOf): Record<TermName, string> {
  return {
    title: text.title,
    parties: list(text.parties.map(nameOf)),
    basis: text.legal_basis,
    purposes: list(text.purposes),
    force: spanWords(text.force),
    retention: keepingWords(text),
    equivalences: (text.equivalences ?? [])
      .flatMap(table => [`${table.from} → ${table.to}:`, ...equivalenceWords(table)])
      .join("; "),
  };
}

export interface Term {
  name: TermName;
  change: Change;
  pieces: Piece[];
}

export function termRows(before: Agreement, after: Agreement, nameOf: NameOf): Term[] {
  const [was, is] = [termsOf(before, nameOf), termsOf(after, nameOf)];
  return TERMS.map(name => ({
    name,
    change: changeOf(was[name], is[name]),
    pieces: pieces(was[name], is[name]),
  }));
}

/** How many clauses came, went and changed. */
export const tally = (rows: readonly Row[]): Record<Change, number> => {
  const found = { same: 0, added: 0, removed: 0, changed: 0 };
  for (const { change } of rows) found[change] += 1;
  return found;
};
