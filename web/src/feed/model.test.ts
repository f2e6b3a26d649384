import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Kind, Rendition } from "../api/records";
import { NOTHING, type Collection } from "../kernel/records";
import { fitsFilter, freshIn, merged, windowOf, entryOf } from "./model";

const row = (kind: Kind, id: string, changed: string): Rendition =>
  ({
    id,
    kind,
    agency: "a",
    etag: id + changed,
    changed_at: changed,
    layers: [{ id, mark: "(R)", label: { markings: { NAT: { level: 2 } } }, body: { title: id } }],
  }) as never;
const of = (kind: Kind, times: string[], next: string | null = null): [Kind, Collection] => [
  kind,
  {
    ...NOTHING,
    next,
    rows: new Map(times.map(time => [kind + time, row(kind, kind + time, time)])),
  },
];

describe("the feed", () => {
  it("has what changed last first, of all kinds", () => {
    const { entries } = merged([of("alert", ["1", "3"]), of("report", ["2", "4"])]);
    expect(entries.map(entry => entry.changed)).toEqual(["4", "3", "2", "1"]);
  });

  it("goes back only as far as every kind was read", () => {
    const all = merged([of("alert", ["1", "3"]), of("report", ["2", "4"], "older")]);
    expect(all.entries.map(entry => entry.changed)).toEqual(["4", "3"]);
    expect(all.wants).toEqual(["report"]);
  });

  it("filters by kind, agency and level", () => {
    const entry = entryOf(row("alert", "x", "1"));
    if (!entry) throw new Error("no entry");
    const any = { kind: "", agency: "", level: "" };
    expect(fitsFilter(any, entry)).toBe(true);
    expect(fitsFilter({ ...any, level: "NAT 2" }, entry)).toBe(true);
    expect(fitsFilter({ ...any, level: "NAT 3" }, entry)).toBe(false);
    expect(fitsFilter({ ...any, kind: "report" }, entry)).toBe(false);
  });

  it("counts what came since it was held, and not what an older page brought", () => {
    const held = merged([of("alert", ["3", "4"])]).entries;
    expect(freshIn(held, merged([of("alert", ["1", "3", "4", "5", "6"])]).entries)).toBe(2);
    expect(freshIn(held, held)).toBe(0);
  });

  it("draws what is seen of the rows, whatever is scrolled", () => {
    fc.assert(
      fc.property(fc.nat(200_000), fc.nat(2000), fc.nat(5000), (scroll, height, count) => {
        const { from, to } = windowOf(scroll, height, 34, count);
        expect(from).toBeGreaterThanOrEqual(0);
        expect(to).toBeLessThanOrEqual(count);
        if (scroll < count * 34) {
          expect(from * 34).toBeLessThanOrEqual(scroll);
          expect(to * 34).toBeGreaterThanOrEqual(Math.min(scroll + height, count * 34));
        }
      }),
    );
  });
});
