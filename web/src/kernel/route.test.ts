import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pathOf, routeOf, type Route } from "./route";

describe("addresses", () => {
  it("lead to pages", () => {
    expect(routeOf("/")).toEqual({ page: "watch", id: null });
    expect(routeOf("/raise")).toEqual({ page: "raise" });
    expect(routeOf("/people/")).toEqual({ page: "people", id: null });
    expect(routeOf("/nothing")).toEqual({ page: "absent" });
  });

  it("carry ids and nothing that says something", () => {
    for (const path of ["/watch/explosion", "/watch/a/b", "/raise/x", "/watch/1"]) {
      expect(routeOf(path)).toEqual({ page: "absent" });
    }
  });

  it("are read as they were written", () => {
    const id = fc.option(fc.uuid());
    const lists = fc.constantFrom("watch", "reports", "agreements", "inquiries", "ledger");
    const list = fc.record({ page: lists, id }) as fc.Arbitrary<Route>;
    const single = fc.constantFrom<Route>(
      { page: "raise" },
      { page: "compose" },
      { page: "settings" },
    );
    const rule = fc.property(fc.oneof(list, single), route => {
      expect(routeOf(pathOf(route))).toEqual(route);
    });
    fc.assert(rule);
  });
});
