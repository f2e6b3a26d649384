import { describe, expect, it } from "vitest";
import { routeOfHit } from "./model";

describe("hits", () => {
  it("lead to the page of their kind, or nowhere", () => {
    expect(routeOfHit({ kind: "alert", id: "x" })).toEqual({ page: "watch", id: "x" });
    expect(routeOfHit({ kind: "spillage", id: "x" })).toBeNull();
  });
});
