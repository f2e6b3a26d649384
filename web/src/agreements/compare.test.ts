import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Agreement, Clause } from "../api/records";
import { clauseRows, pieces, tally, termRows } from "./compare";

const clause = (id: string, level = 2): Clause => ({
  id,
  version: 1,
  grantors: ["a"],
  grantees: [{ agency: "b", roles: "any" }],
  effect: "permit",
  actions: ["alert:read"],
  discloses: "content",
  limits: { ceilings: { NAT: { level } } },
  purposes: ["ASSESSMENT"],
  force: { starts_at: "2026-01-01T00:00:00Z", ends_at: "2027-01-01T00:00:00Z" },
});
const text = (...clauses: Clause[]): Agreement => ({
  id: "x",
  version: 1,
  title: "Exchange",
  parties: ["a", "b"],
  legal_basis: "Act",
  purposes: ["ASSESSMENT"],
  force: { starts_at: "2026-01-01T00:00:00Z", ends_at: "2027-01-01T00:00:00Z" },
  clauses,
  retention_days_max: null,
  onward: "forbidden",
});
const nameOf = (id: string): string => id;

describe("two texts", () => {
  it("have their clauses aligned, each removed one where it stood", () => {
    const before = text(clause("1"), clause("2"), clause("3"));
    const after = text(clause("1"), clause("3", 4), clause("4"));
    const rows = clauseRows(before, after, nameOf);
    expect(rows.map(({ id, change }) => `${id} ${change}`)).toEqual([
      "1 same",
      "2 removed",
      "3 changed",
      "4 added",
    ]);
    expect(tally(rows)).toEqual({ same: 1, added: 1, removed: 1, changed: 1 });
    const changed = rows[2]?.fields.filter(field => field.change === "changed");
    expect(changed?.map(({ name, before, after }) => [name, before, after])).toEqual([
      ["ceilings", "NAT ≤ RESTRICTED", "NAT ≤ SECRET"],
    ]);
  });

  it("differ in nothing from themselves, and have every clause once", () => {
    const ids = fc.uniqueArray(fc.constantFrom("1", "2", "3", "4", "5"));
    fc.assert(
      fc.property(ids, ids, (a, b) => {
        const [before, after] = [
          text(...a.map(id => clause(id))),
          text(...b.map(id => clause(id))),
        ];
        const rows = clauseRows(before, after, nameOf);
        expect(rows.map(row => row.id).sort()).toEqual([...new Set([...a, ...b])].sort());
        expect(clauseRows(before, before, nameOf).every(row => row.change === "same")).toBe(true);
      }),
    );
  });

  it("say which terms changed", () => {
    const after = { ...text(), legal_basis: "Treaty" };
    const terms = termRows(text(), after, nameOf).filter(term => term.change !== "same");
    expect(terms.map(term => term.name)).toEqual(["basis"]);
  });
});

it("gives both texts back from the pieces, whatever they are", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      const all = pieces(a, b);
      const side = (other: "before" | "after"): string =>
        all
          .filter(piece => piece.in !== other)
          .map(piece => piece.text)
          .join("");
      expect(side("after")).toBe(a);
      expect(side("before")).toBe(b);
    }),
  );
});
