import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  askable,
  askedOf,
  faultOf,
  narrowedBy,
  narrowOfQuery,
  partsOf,
  suggestions,
  taken,
  without,
  type Known,
} from "./language";

const known: Known = { kinds: ["report", "alert"], agencies: ["POLICE", "EST"] };
const read = (query: string) => partsOf(query, known);

describe("reading a query", () => {
  it("knows words, phrases and what narrows", () => {
    const parts = read('smoke "platform four" kind:report from:police 10:30');
    expect(parts.map(({ sort, value }) => [sort, value])).toEqual([
      ["word", "smoke"],
      ["phrase", "platform four"],
      ["kind", "report"],
      ["from", "police"],
      ["word", "10:30"],
    ]);
    expect(parts.every(part => part.wrong === null)).toBe(true);
  });

  it("says what is wrong with a part", () => {
    const wrong = (query: string) => read(query).map(part => part.wrong);
    expect(wrong("kind:rumour")).toEqual(["kind"]);
    expect(wrong("from:NOBODY")).toEqual(["agency"]);
    expect(wrong("after:tomorrow")).toEqual(["time"]);
    expect(wrong("after:221930ZNOV26")).toEqual([null]);
    expect(wrong("before:2026-11-23T00:00:00Z")).toEqual([null]);
    expect(wrong("from:POLICE from:EST")).toEqual(["repeated", null]);
    expect(wrong('smoke "platform four')).toEqual([null, "open"]);
    expect(wrong("after:221930ZNOV26 before:211930ZNOV26")).toEqual([null, "empty-span"]);
  });

  it("has every part where it stands, whatever is typed", () => {
    fc.assert(
      fc.property(fc.string(), query => {
        for (const { start, end } of read(query)) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeLessThanOrEqual(query.length);
          expect(end).toBeGreaterThan(start);
        }
      }),
    );
  });

  it("counts characters and words as the node does", () => {
    expect(faultOf("a".repeat(201), read("a".repeat(201)))).toBe("long");
    const many = Array.from({ length: 33 }, () => "a").join(" ");
    expect(faultOf(many, read(many))).toBe("words");
    expect(faultOf("smoke", read("smoke"))).toBeNull();
    expect(askable("smoke after:221930ZNOV26")).toBe(true);
    expect(askable("smoke after:xx")).toBe(false);
    expect(askedOf("smoke kind:")).toBe("smoke ");
    expect(askedOf("smoke kind:report")).toBe("smoke kind:report");
  });
});

describe("changing a query", () => {
  it("takes out one part and leaves the others", () => {
    const query = 'smoke "platform four" kind:report';
    const [, phrase] = read(query);
    expect(phrase && without(query, phrase)).toBe("smoke kind:report");
  });

  it("narrows by one value of a name at a time", () => {
    expect(narrowedBy("smoke", "from", "EST", known)).toBe("smoke from:EST ");
    expect(narrowedBy("from:POLICE smoke", "from", "EST", known)).toBe("smoke from:EST ");
    expect(narrowedBy("from:POLICE smoke", "from", "", known)).toBe("smoke");
    expect(narrowOfQuery(read("from:POLICE smoke"), "from")).toBe("POLICE");
  });

  it("suggests names and values for the word at the caret", () => {
    const of = (query: string) => suggestions(query, query.length, known, []).map(s => s.text);
    expect(of("smoke ki")).toEqual(["kind:"]);
    expect(of("kind:")).toEqual(["kind:report", "kind:alert"]);
    expect(of("from:p")).toEqual(["from:POLICE"]);
    expect(of('"ki')).toEqual([]);
    expect(of("from:POLICE")).toEqual([]);
    expect(taken("smoke ki", 8, "kind:")).toEqual({ query: "smoke kind:", caret: 11 });
    expect(taken("kind:a smoke", 6, "kind:alert")).toEqual({
      query: "kind:alert smoke",
      caret: 11,
    });
  });
});
