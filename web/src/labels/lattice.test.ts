import { describe, expect, it } from "vitest";
import { below, latticeOf } from "./lattice";
import { scheme } from "./schemes";

const national = scheme("NAT");
if (!national) throw new Error("no scheme");

describe("the lattice of a scheme", () => {
  it("is a chain of levels without compartments", () => {
    const { points, edges, rows } = latticeOf(national, []);
    expect(points).toHaveLength(national.levels.length);
    expect(edges).toHaveLength(national.levels.length - 1);
    expect(rows).toBe(national.levels.length);
  });

  it("has only what may stand together", () => {
    const { points } = latticeOf(national, ["KESTREL", "GREYSTONE", "LANTERN"]);
    const keys = points.map(point => point.key);
    expect(keys).toContain("3 KESTREL");
    expect(keys).not.toContain("2 KESTREL");
    // Requires KESTREL, excludes LANTERN.
    expect(keys).toContain("4 KESTREL GREYSTONE");
    expect(keys).not.toContain("4 GREYSTONE");
    expect(keys.some(key => key.includes("LANTERN") && key.includes("GREYSTONE"))).toBe(false);
  });

  it("draws what covers what, and nothing that follows from it", () => {
    const { points, edges } = latticeOf(national, ["KESTREL", "LANTERN"]);
    const of = new Map(points.map(point => [point.key, point]));
    for (const [low, high] of edges) {
      const [a, b] = [of.get(low), of.get(high)];
      if (!a || !b) throw new Error("no point");
      expect(below(a, b)).toBe(true);
      const between = points.some(one => one !== a && one !== b && below(a, one) && below(one, b));
      expect(between).toBe(false);
    }
    // Everything but the lowest covers something.
    const covering = new Set(edges.map(([, high]) => high));
    expect(points.filter(point => !covering.has(point.key))).toHaveLength(1);
  });
});
