import { describe, expect, it } from "vitest";
import {
  fieldOf,
  instantOf,
  isId,
  ranked,
  summaryOf,
  timelineOf,
  type Findings,
  type OfPerson,
} from "./model";

const nobody: OfPerson = {
  person: "p",
  agency: "a",
  seats: [],
  available: false,
  grounds: [],
  layers: 0,
  withheld: { by: "clearance", because: ["level"] },
  sent: null,
  listed: null,
  opened: null,
  denied: null,
  acknowledged: null,
};
const seen = (at: string) => ({ at, row: { leaf: 0, row: 0 } });
const reader: OfPerson = { ...nobody, person: "r", available: true, withheld: null };
const opener: OfPerson = { ...reader, person: "o", opened: seen("2026-11-22T12:03:00.000Z") };
const findings: Findings = {
  inquiry: "i",
  subject: "s",
  kind: "alert",
  instant: "2026-11-22T12:05:00.000Z",
  size: 9,
  layers: 2,
  people: [nobody, reader, opener],
  agencies: [],
  entries: [{ at: "2026-11-22T12:01:00.000Z", entry: "e", sequence: 3, kind: "alert.raised/1" }],
  reads: [],
};

describe("findings", () => {
  it("are counted in the ways in which one can know", () => {
    const counted = { people: 3, available: 2, sent: 0, opened: 1, acknowledged: 0 };
    expect(summaryOf(findings)).toEqual(counted);
  });

  it("stand in the order of time", () => {
    expect(timelineOf(findings).map(one => one.is)).toEqual(["entry", "seen"]);
  });

  it("show those who knew most first, and those who could not last", () => {
    expect(ranked(findings.people).map(one => one.person)).toEqual(["o", "r", "p"]);
  });
});

describe("the form", () => {
  it("reads an instant as UTC, and nothing else", () => {
    expect(instantOf("2026-11-22T12:05:07")).toBe("2026-11-22T12:05:07.000Z");
    expect(instantOf("2026-11-22T12:05")).toBe("2026-11-22T12:05:00.000Z");
    for (const wrong of ["", "yesterday", "2026-11-22", "2026-13-40T12:05"]) {
      expect(instantOf(wrong)).toBeNull();
    }
    expect(instantOf(fieldOf(0))).toBe("1970-01-01T00:00:00.000Z");
  });

  it("knows an id of a record", () => {
    expect(isId(" 3f2504e0-4f89-41d3-9a0c-0305e82c3301 ")).toBe(true);
    expect(isId("3f2504e0")).toBe(false);
  });
});
