import { describe, expect, it } from "vitest";
import { fits } from "./filter";

describe("filtering", () => {
  it("wants every word, wherever it stands", () => {
    expect(fits("fire duty", "Duty officer", "FIRE")).toBe(true);
    expect(fits("fire navy", "Duty officer", "FIRE")).toBe(false);
    expect(fits("", "anything")).toBe(true);
    expect(fits("x", null, undefined)).toBe(false);
  });

  it("looks past capitals and accents", () => {
    expect(fits("vaino", "Väinö Tikkurla")).toBe(true);
    expect(fits("SKÄR", "Alva Skarhamn")).toBe(true);
  });
});
