import { describe, expect, it } from "vitest";
import type { Rendition } from "../api/records";
import { contentOf, deeds, draftOf, emptyDraft, inForce, ordered, planOf, wrongIn } from "./model";

const label = { markings: { NAT: { level: 2 } }, originators: ["own"], play: "live" };

function rendition(state: string, body: Record<string, unknown>): Rendition {
  const layers = [{ id: "l", label, mark: "(R)", body }];
  return { id: `p-${state}`, agency: "own", kind: "plan", state, layers } as unknown as Rendition;
}

const body = {
  name: "Major incident",
  incident: "MAJOR-INCIDENT",
  incident_markings: { NAT: { level: 2 } },
  precedence: "FLASH",
  text: "Send a liaison.",
  options: ["responding", "cannot"],
  ladder_s: [60, 120, 180],
  obliged: [
    { agency: "own", agreement: null },
    { agency: "fire", agreement: "agreement" },
  ],
  roles: [{ name: "Commander", seat: "seat" }],
  objectives: ["Save life"],
  proposed_by: "planner",
};

const read = (state: string) => {
  const plan = planOf(rendition(state, body));
  if (!plan) throw new Error("no layer");
  return plan;
};

describe("a plan", () => {
  it("declares only when it is in force", () => {
    const all = ["proposed", "withdrawn", "in_force"].map(state => rendition(state, body));
    expect(inForce(all).map(plan => plan.id)).toEqual(["p-in_force"]);
    const order = ordered(all.map(planOf).filter(plan => plan !== null));
    expect(order.map(plan => plan.id)).toEqual(["p-proposed", "p-in_force", "p-withdrawn"]);
  });

  it("is approved by another person of its agency", () => {
    expect(deeds(read("proposed"), "own", "planner")).toEqual(["withdraw"]);
    expect(deeds(read("proposed"), "own", "head")).toEqual(["approve", "withdraw"]);
    expect(deeds(read("in_force"), "own", "head")).toEqual(["revise", "withdraw"]);
    expect(deeds(read("withdrawn"), "own", "head")).toEqual([]);
    expect(deeds(read("proposed"), "fire", "head")).toEqual([]);
  });

  it("says when it is typed anew what it said", () => {
    const { proposed_by: _by, ...content } = body;
    const draft = draftOf(read("in_force"));
    expect(wrongIn(draft, "own")).toEqual([]);
    expect(contentOf(draft)).toEqual(content);
  });
});

describe("the form", () => {
  const fields = (change: Partial<ReturnType<typeof emptyDraft>>): (string | null)[] =>
    wrongIn({ ...draftOf(read("in_force")), ...change }, "own").map(one => one.field);

  it("names what is missing", () => {
    const empty = wrongIn(emptyDraft(), "own").map(one => one.field);
    for (const field of ["plan-label", "name", "incident", "incident-label", "text", "obliged"]) {
      expect(empty).toContain(field);
    }
  });

  it("has a limit for each list and an agreement for each agency but one's own", () => {
    expect(fields({ obliged: { own: "" } })).toEqual([]);
    expect(fields({ obliged: { fire: "" } })).toEqual(["obliged"]);
    expect(fields({ objectives: Array(16).fill("x").join("\n") })).toEqual([]);
    expect(fields({ objectives: Array(17).fill("x").join("\n") })).toEqual(["objectives"]);
    expect(fields({ name: "x".repeat(80) })).toEqual([]);
    expect(fields({ name: "x".repeat(81) })).toEqual(["name"]);
    expect(fields({ ladder: ["60", "60", "70"] })).toEqual(["ladder"]);
    const role = { name: "Commander", seat: "seat" };
    expect(fields({ roles: [role, role] })).toEqual(["roles"]);
    expect(fields({ roles: [{ name: "Commander", seat: "" }] })).toEqual(["roles"]);
    expect(fields({ incident: "major incident" })).toEqual(["incident"]);
  });
});
