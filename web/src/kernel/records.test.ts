import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Rendition } from "../api/records";
import { began, changed, extended, failed, fetched, NOTHING, replaced } from "./records";

const at = (second: number): string => new Date(second * 1000).toISOString();

const row = (id: string, second = 0): Rendition => ({
  id,
  kind: "alert",
  agency: "x",
  etag: `${id}-${second}`,
  banner: "OPEN",
  changed_at: at(second),
  state: "open",
  due_at: null,
  place: null,
  operation: null,
  layers: [],
});
const record = (id: string, second = 0) => ({
  type: "record" as const,
  rendition: row(id, second),
});
const gone = (...ids: string[]) => ({ type: "gone" as const, ids });
const read = (...items: Rendition[]) => ({ items, next: null, total: items.length });
const tags = (of: { rows: ReadonlyMap<string, Rendition> }) =>
  [...of.rows.values()].map(r => r.etag).sort();

describe("records of one kind", () => {
  it("takes new and changed records, the newer one staying", () => {
    const one = changed(NOTHING, [record("a", 1), record("b", 1), record("a", 3), record("a", 2)]);
    expect(tags(one)).toEqual(["a-3", "b-1"]);
    expect(NOTHING.rows.size).toBe(0);
  });

  it("drops what is gone", () => {
    expect(tags(changed(NOTHING, [record("a"), record("b"), gone("a", "z")]))).toEqual(["b-0"]);
  });

  it("drops at a resync what the list no longer has", () => {
    const before = changed(NOTHING, [record("a"), record("b")]);
    expect(tags(replaced(began(before), read(row("b"))))).toEqual(["b-0"]);
  });

  it("keeps what came while the list was being read", () => {
    const reading = changed(began(changed(NOTHING, [record("a", 1)])), [record("c", 5)]);
    const after = replaced(reading, read(row("a", 2)));
    expect(tags(after)).toEqual(["a-2", "c-5"]);
    expect(after.since).toEqual([]);
  });

  it("does not bring back from an older list what went while it was being read", () => {
    const reading = changed(began(changed(NOTHING, [record("a", 1)])), [gone("a")]);
    expect(tags(replaced(reading, read(row("a", 1))))).toEqual([]);
  });

  it("adds an older page without undoing what is newer", () => {
    const of = replaced(began(NOTHING), { items: [row("a", 5)], next: "n", total: 2 });
    const more = extended(of, read(row("a", 1), row("b", 1)));
    expect(tags(more)).toEqual(["a-5", "b-1"]);
    expect(more.next).toBeNull();
  });

  it("drops a record that was asked for and is not there", () => {
    expect(tags(fetched(changed(NOTHING, [record("a")]), "a", null))).toEqual([]);
  });

  it("is the same when what is gone was not there, so that nobody is woken to ask again", () => {
    const of = replaced(began(NOTHING), read(row("a")));
    expect(fetched(of, "z", null)).toBe(of);
    expect(changed(of, [gone("y", "z")])).toBe(of);
    expect(changed(of, [gone("a", "z")])).not.toBe(of);
    // While a list is being read, it may still bring what is gone.
    expect(tags(replaced(fetched(began(of), "z", null), read(row("a"), row("z"))))).toEqual([
      "a-0",
    ]);
  });

  it("keeps what it has when a list cannot be read", () => {
    const of = failed(began(replaced(began(NOTHING), read(row("a")))));
    expect([of.reading, of.rows.size]).toEqual(["no", 1]);
    expect(failed(began(NOTHING)).reading).toBe("never");
  });

  it("ends at the server's state, however frames and the list interleave", () => {
    // The server's history of three records; each step is seen as a frame, the list is read at
    // some step and arrives at a later one.
    const step = fc.record({ id: fc.constantFrom("a", "b", "c"), leaves: fc.boolean() });
    const world = fc.tuple(fc.array(step, { minLength: 1, maxLength: 12 }), fc.nat(), fc.nat());
    const rule = fc.property(world, ([steps, a, b]) => {
      const taken = a % (steps.length + 1);
      const landed = taken + (b % (steps.length + 1 - taken));
      const truth = new Map<string, Rendition>();
      let list: Rendition[] = [];
      let of = began(NOTHING);
      for (let n = 0; n <= steps.length; n += 1) {
        if (n === taken) list = [...truth.values()];
        if (n === landed) of = replaced(of, read(...list));
        const next = steps[n];
        if (!next) continue;
        if (next.leaves) truth.delete(next.id);
        else truth.set(next.id, row(next.id, n + 1));
        of = changed(of, [next.leaves ? gone(next.id) : record(next.id, n + 1)]);
      }
      expect(tags(of)).toEqual(tags({ rows: truth }));
    });
    fc.assert(rule, { numRuns: 500 });
  });
});
