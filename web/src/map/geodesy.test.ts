import { describe, expect, it } from "vitest";
import type { Position } from "../drawings/model";
import { areaOf, formatArea, formatDistance, legsOf, milsOf, rimOf } from "./geodesy";

describe("measuring", () => {
  it("gives the distance and bearing of published lines", () => {
    // From JFK to LHR, as the manual of GeographicLib has it.
    const [leg] = legsOf([
      [-73.8, 40.6],
      [-0.5, 51.6],
    ]);
    expect(leg!.distance).toBeCloseTo(5551759.4003, 3);
    expect(leg!.bearing).toBeCloseTo(51.19888284, 7);
    const [west] = legsOf([
      [1, 0],
      [0, 0],
    ]);
    expect(west!.bearing).toBe(270);
    expect(west!.distance).toBeCloseTo(111319.49, 1);
  });

  it("gives areas whichever way round they are drawn", () => {
    const square: Position[] = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ];
    // One square degree at the equator.
    expect(areaOf(square) / 1e6).toBeCloseTo(12308.778, 0);
    expect(areaOf([...square].reverse())).toBeCloseTo(areaOf(square), 3);
    expect(areaOf(square.slice(0, 2))).toBe(0);
  });

  it("draws circles at their radius", () => {
    const rim = rimOf([24.9, 60.1], 500);
    expect(rim[0]).toEqual(rim.at(-1));
    for (const at of rim) expect(legsOf([[24.9, 60.1], at])[0]!.distance).toBeCloseTo(500, 3);
  });

  it("is written as people say it", () => {
    expect([840, 1240, 12_440, 1_204_400].map(formatDistance)).toEqual([
      "840 m",
      "1.24 km",
      "12.4 km",
      "1,204 km",
    ]);
    expect([5200, 12_400_000].map(formatArea)).toEqual(["5,200 m²", "12.40 km²"]);
    expect([0, 90, 359.99].map(milsOf)).toEqual([0, 1600, 0]);
  });
});
