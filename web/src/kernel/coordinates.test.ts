import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mgrsOf, parsePlace } from "./coordinates";

const near = (text: string, lat: number, lon: number, off = 1e-4): void => {
  const found = parsePlace(text);
  expect(found, text).not.toBeNull();
  expect(Math.abs(found!.lat - lat), text).toBeLessThan(off);
  expect(Math.abs(found!.lon - lon), text).toBeLessThan(off);
};

describe("positions", () => {
  it("are read from grid references", () => {
    // The Washington Monument (FGDC-STD-011), and the middle of a square of ten kilometres.
    near("18SUJ2348306479", 38.8895, -77.0352);
    near("18S UJ 23483 06479", 38.8895, -77.0352);
    near("33UXP04", 48.24949, 16.4145);
  });

  it("are read from degrees in the ways that people write them", () => {
    for (const text of [
      "60.1719, 24.9414",
      "60.1719 24.9414",
      "60.1719N 24.9414E",
      "N60.1719 E24.9414",
      "24.9414E 60.1719N",
      "60°10.314' N, 24°56.484' E",
      "60°10'18.84\"N 24°56'29.04\"E",
      "60:10:18.84 24:56:29.04",
    ]) {
      near(text, 60.1719, 24.9414);
    }
    near("-33.8568, 151.2153", -33.8568, 151.2153);
    near("33.8568S 70.5W", -33.8568, -70.5);
  });

  it("are not made of what is none", () => {
    for (const text of [
      "",
      "smoke",
      "60",
      "91, 24",
      "60, 181",
      "60N 24N",
      "60N 24",
      "60°70'N 24°E",
      "-60N 24E",
      "35VLG123",
      "61ABC12341234",
      "35ILG1234",
      "35VAG1234",
      "00VLG1234",
      "35VLZ1234",
      "221930ZNOV26",
    ]) {
      expect(parsePlace(text), text).toBeNull();
    }
  });

  it("are found again from the grid reference that is shown", () => {
    const place = fc.record({
      lat: fc.double({ min: -79, max: 83, noNaN: true }),
      lon: fc.double({ min: -179.9, max: 179.9, noNaN: true }),
    });
    fc.assert(
      fc.property(place, ({ lat, lon }) => {
        const found = parsePlace(mgrsOf({ lat, lon }));
        expect(found).not.toBeNull();
        // A metre, and the width of a degree of longitude there.
        expect(Math.abs(found!.lat - lat)).toBeLessThan(2e-5);
        const metres = Math.abs(found!.lon - lon) * 111_320 * Math.cos((lat * Math.PI) / 180);
        expect(metres).toBeLessThan(3);
      }),
    );
  });

  it("have no grid at the poles", () => {
    expect(mgrsOf({ lat: 85, lon: 0 })).toBe("");
    expect(mgrsOf({ lat: -81, lon: 0 })).toBe("");
  });
});
