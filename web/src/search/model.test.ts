import { describe, expect, it } from "vitest";
import { kindOf, narrowed, routeOfHit } from "./model";

describe("narrowing", () => {
  it("puts one kind in the place of another", () => {
    expect(narrowed("smoke", "alert")).toBe("smoke kind:alert ");
    expect(narrowed("smoke kind:alert here", "report")).toBe("smoke here kind:report ");
    expect(narrowed("kind:alert smoke", "")).toBe("smoke");
    expect(narrowed("", "report")).toBe("kind:report ");
  });

  it("reads the kind back, and takes no other word for one", () => {
    expect(kindOf(narrowed("smoke", "alert"))).toBe("alert");
    expect(kindOf("mankind:alert")).toBe("");
    expect(kindOf("smoke")).toBe("");
  });
});

describe("hits", () => {
  it("lead to the page of their kind, or nowhere", () => {
    expect(routeOfHit({ kind: "alert", id: "x" })).toEqual({ page: "watch", id: "x" });
    expect(routeOfHit({ kind: "spillage", id: "x" })).toBeNull();
  });
});
