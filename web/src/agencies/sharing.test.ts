import { describe, expect, it } from "vitest";
import type { Rendition } from "../api/records";
import { lineOf, PARTS, sharingOf } from "./sharing";

const now = Date.UTC(2026, 10, 23);
const report = (agency: string, at: string, ...to: string[]): Rendition =>
  ({
    agency,
    layers: [{ body: { submitted_at: at, releases: to.map(one => ({ agency: one, at })) } }],
  }) as never;

describe("sharing", () => {
  it("counts what the node counts, and of what was read what was released to others", () => {
    const reports = [
      report("a", "2026-11-22T12:00:00Z", "b", "c"),
      report("a", "2026-11-10T12:00:00Z"),
      report("b", "2026-11-22T12:00:00Z", "b"),
    ];
    const facets = [{ agency: "a", records: 5 }];
    const [a, b] = sharingOf(facets, reports, now, 14);
    expect(a).toMatchObject({ agency: "a", readable: 5, read: 2, released: 1, receivers: 2 });
    expect(a?.trend.reduce((sum, n) => sum + n, 0)).toBe(2);
    expect(a?.trend.at(-1)).toBe(1);
    // A release to its own agency is none to others.
    expect(b).toMatchObject({ agency: "b", readable: 1, released: 0 });
  });

  it("draws a line through every part", () => {
    const trend = Array.from({ length: PARTS }, () => 0);
    expect(lineOf(trend, 0).match(/[ML]/g)).toHaveLength(PARTS);
  });
});
