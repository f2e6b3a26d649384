import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAge, formatClock, formatDtg, formatSpan, parseDtg, parseTime } from "./dtg";

const AT = Date.UTC(2026, 10, 22, 19, 30, 46);

describe("date-time group", () => {
  it("is written in Zulu time to the minute", () => {
    expect(formatDtg(AT)).toBe("221930ZNOV26");
    expect(formatClock(AT)).toBe("19:30:46Z");
  });

  it("is read with any zone letter", () => {
    expect(parseDtg("221930ZNOV26")).toBe(Date.UTC(2026, 10, 22, 19, 30));
    expect(parseDtg(" 221930anov26 ")).toBe(Date.UTC(2026, 10, 22, 18, 30));
    expect(parseDtg("221930INOV26")).toBe(Date.UTC(2026, 10, 22, 10, 30));
    expect(parseDtg("221930MNOV26")).toBe(Date.UTC(2026, 10, 22, 7, 30));
    expect(parseDtg("221930NNOV26")).toBe(Date.UTC(2026, 10, 22, 20, 30));
    expect(parseDtg("221930YNOV26")).toBe(Date.UTC(2026, 10, 23, 7, 30));
  });

  it("refuses local time and dates that do not exist", () => {
    const bad = ["221930JNOV26", "311930ZNOV26", "222430ZNOV26", "221960ZNOV26", "221930ZXXX26"];
    for (const text of [...bad, "", "221930Z", "221930ZNOV2026"]) expect(parseDtg(text)).toBeNull();
  });

  it("reads what it wrote, for every minute of the century", () => {
    const minutes = fc.integer({
      min: Date.UTC(2000, 0, 1) / 60_000,
      max: Date.UTC(2099, 11, 31) / 60_000,
    });
    const rule = fc.property(minutes, m => parseDtg(formatDtg(m * 60_000)) === m * 60_000);
    fc.assert(rule);
  });
});

describe("spans and times", () => {
  it("writes spans by their size", () => {
    const spans = [-5, 0, 42_900, 725_000, 3_729_000, 86_400_000 * 3 + 4 * 3_600_000];
    expect(spans.map(formatSpan)).toEqual(["0:00", "0:00", "0:42", "12:05", "1:02:09", "3 d 04 h"]);
  });

  it("writes ages by their size", () => {
    const ages = [-5, 42_900, 425_000, 7_500_000, 86_400_000 * 3 + 4 * 3_600_000];
    expect(ages.map(formatAge)).toEqual(["0 s", "42 s", "7 min", "2 h 05 min", "3 d 04 h"]);
  });

  it("gives nothing for what is no time", () => {
    expect(parseTime("2026-11-22T19:30:46.000Z")).toBe(AT);
    for (const none of [null, undefined, "", "soon"]) expect(parseTime(none)).toBeNull();
  });
});
