import { describe, expect, it } from "vitest";
import type { Rendition } from "../api/records";
import { deeds, erasedOf, erasureOf, ordered, routeOf, stateOf, type ErasureBody } from "./model";

const label = { markings: {}, originators: [], play: "live" };

function rendition(state: string, ...bodies: ErasureBody[]): Rendition {
  const layers = bodies.map((body, n) => ({ id: `l${n}`, label, mark: "(O)", erased: n, body }));
  return { id: `e-${state}`, agency: "a", kind: "erasure", state, layers } as unknown as Rendition;
}

const asked: ErasureBody = { record: "r", requested_by: "asker", requested_at: "2026-01-02" };
const read = (state: string, ...bodies: ErasureBody[]) => {
  const one = erasureOf(rendition(state, ...bodies));
  if (!one) throw new Error("no layer");
  return one;
};

describe("an erasure", () => {
  it("counts what was erased in every layer that may be read", () => {
    expect(read("erased", { ...asked, portions: 2 }, { portions: 3 }).portions).toBe(5);
    expect(erasureOf(rendition("erased"))).toBeNull();
  });

  it("is decided by another person than the one who asked", () => {
    expect(deeds(read("requested", asked), "asker")).toEqual(["withdraw"]);
    expect(deeds(read("requested", asked), "other")).toEqual(["approve", "decline"]);
    const unknown = read("requested", { ...asked, requested_by: null });
    expect(deeds(unknown, null)).toEqual(["approve", "decline"]);
  });

  it("is over when it was declined or carried out", () => {
    for (const state of ["declined", "erased"]) {
      for (const me of ["asker", "other"]) expect(deeds(read(state, asked), me)).toEqual([]);
    }
  });

  it("stands first while it waits", () => {
    const old = read("requested", { ...asked, requested_at: "2025-01-01" });
    const done = read("erased", asked);
    expect(ordered([done, old])).toEqual([old, done]);
    expect(stateOf(read("lost", asked)).word).toBe("unknown");
  });

  it("leads to the page of its record, where there is one", () => {
    expect(routeOf("alert", "r")).toEqual({ page: "watch", id: "r" });
    expect(routeOf("declaration", "r")).toBeNull();
    expect(erasedOf(rendition("open", {}, {}, {}))).toBe(3);
  });
});
