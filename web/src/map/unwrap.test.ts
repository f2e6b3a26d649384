import { describe, expect, it } from "vitest";
import { unwrap, unwrapLine, unwrapRing } from "./unwrap";

describe("shapes across the antimeridian", () => {
  it("leaves what does not cross it as it is", () => {
    const line = [
      [24, 60],
      [25, 61],
      [-10, 60],
    ];
    expect(unwrapLine(line)).toEqual(line);
  });

  it("goes on beyond 180° eastward and westward", () => {
    const east = unwrapLine([
      [179, 65],
      [-179, 66],
      [178, 67],
    ]);
    expect(east.map(([lon]) => lon)).toEqual([179, 181, 178]);
    const west = unwrapLine([
      [-179, 0],
      [179, 0],
    ]);
    expect(west.map(([lon]) => lon)).toEqual([-179, -181]);
  });

  it("closes a ring round the pole along the pole", () => {
    const ring = unwrapRing([
      [0, -70],
      [120, -75],
      [-120, -72],
      [0, -70],
    ]);
    expect(ring).toEqual([
      [0, -70],
      [120, -75],
      [240, -72],
      [360, -70],
      [360, -90],
      [0, -90],
      [0, -70],
    ]);
  });

  it("takes each area of many by itself", () => {
    const { coordinates } = unwrap({
      type: "MultiPolygon",
      coordinates: [
        [
          [
            [179, 1],
            [-179, 1],
            [-179, 2],
            [179, 1],
          ],
        ],
      ],
    });
    expect(coordinates[0]?.[0]?.map(([lon]) => lon)).toEqual([179, 181, 181, 179]);
  });
});
