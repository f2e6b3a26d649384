import { describe, expect, it } from "vitest";
import type { Agreement, Clause } from "../api/records";
import { addressOf, draftedOf, nextVersion } from "./replay";

const force = { starts_at: "2026-01-01T00:00:00.000Z", ends_at: "2030-01-01T00:00:00.000Z" };
const clause = (id: string): Clause => ({
  id,
  version: 1,
  grantors: ["a"],
  grantees: [{ agency: "b", roles: "any" }],
  effect: "permit",
  actions: ["report:read"],
  discloses: "content",
  limits: { ceilings: { NAT: { level: 2, compartments: ["KESTREL"] }, NATO: { level: 1 } } },
  purposes: ["PROTECTION"],
  force,
});
const text: Agreement = {
  id: "agreement",
  version: 3,
  title: "Title",
  parties: ["a", "b"],
  legal_basis: "Order 1",
  purposes: ["PROTECTION"],
  force,
  clauses: [clause("one"), clause("two")],
  retention_days_max: null,
  onward: "forbidden",
};

describe("the next version of an agreement", () => {
  it("is the same text until something is changed", () => {
    const drafted = { one: draftedOf(text.clauses[0]!), two: draftedOf(text.clauses[1]!) };
    expect(nextVersion(text, drafted)).toEqual({
      agreement: { ...text, version: 4 },
      changed: false,
    });
  });

  it("changes the level and the version of that clause alone", () => {
    const drafted = { two: { levels: { NAT: 4, NATO: 1 }, dropped: false } };
    const { agreement, changed } = nextVersion(text, drafted);
    expect(changed).toBe(true);
    expect(agreement.clauses[0]).toEqual(text.clauses[0]);
    expect(agreement.clauses[1]).toMatchObject({
      version: 4,
      limits: { ceilings: { NAT: { level: 4, compartments: ["KESTREL"] }, NATO: { level: 1 } } },
    });
  });

  it("leaves out a clause that is dropped", () => {
    const { agreement, changed } = nextVersion(text, { one: { levels: {}, dropped: true } });
    expect([agreement.clauses.map(({ id }) => id), changed]).toEqual([["two"], true]);
  });
});

it("a record is found at the page of its kind, and nowhere without one", () => {
  const id = "0190a0a0-0000-7000-8000-000000000000";
  expect(addressOf("alert", id)).toBe(`/watch/${id}`);
  expect(addressOf("circle", id)).toBeUndefined();
  expect(addressOf("toString", id)).toBeUndefined();
});
