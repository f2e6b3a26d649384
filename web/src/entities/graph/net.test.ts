import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Related } from "../model";
import { collapsed, expanded, netOf, NODES_MAX, sifted, type Net, type Sieve } from "./net";
import { ASKED_MAX, wayBetween } from "./path";
import { counts, timesOf } from "./time";
import { entityOf } from "../model";

const item = (entity: string, of = "a", direction: "in" | "out" = "out"): Related => ({
  direction,
  kind: "uses",
  relationship: [of, entity].sort().join("-"),
  relationship_mark: "",
  entity,
  type: "tool",
  title: entity,
  mark: "",
  modified: null,
});
const start = (): Net => netOf({ id: "a", type: "campaign", title: "a" });
const all: Sieve = {
  known: () => true,
  types: new Set(),
  kinds: new Set(),
  within: () => true,
};

describe("a net", () => {
  it("has a relationship once, from whichever end it was asked", () => {
    let net = expanded(start(), "a", [item("b")], false);
    net = expanded(net, "b", [item("a", "b", "in"), item("c", "b")], false);
    expect([...net.nodes.keys()]).toEqual(["a", "b", "c"]);
    expect([...net.edges.values()].map(e => [e.source, e.target])).toEqual([
      ["a", "b"],
      ["b", "c"],
    ]);
  });

  it("collapses what was reached through an entity, and nothing else", () => {
    let net = expanded(start(), "a", [item("b"), item("d")], false);
    net = expanded(net, "b", [item("c", "b"), item("d", "b")], false);
    net = collapsed(net, "b");
    expect([...net.nodes.keys()]).toEqual(["a", "b", "d"]);
    expect([...net.edges.keys()]).toEqual(["a-b", "a-d", "b-d"]);
    expect(net.expanded.has("b")).toBe(false);
    expect([...collapsed(net, "a").nodes.keys()]).toEqual(["a"]);
  });

  it("never has more entities than it may, and says how many it left off", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), n => {
        const items = Array.from({ length: n }, (_, k) => item(`n${String(k)}`));
        const net = expanded(start(), "a", items, false);
        expect(net.nodes.size).toBe(Math.min(n + 1, NODES_MAX));
        expect(net.expanded.get("a")?.left).toBe(Math.max(0, n + 1 - NODES_MAX));
      }),
    );
  });

  it("draws nothing whose record may not be shown, and nothing that hangs on it alone", () => {
    let net = expanded(start(), "a", [item("b")], false);
    net = expanded(net, "b", [item("c", "b")], false);
    const drawn = sifted(net, { ...all, known: id => id !== "a-b" });
    expect(drawn.nodes.map(n => n.id)).toEqual(["a", "b", "c"]);
    expect(drawn.edges.map(e => e.id)).toEqual(["b-c"]);
    expect(sifted(net, { ...all, known: id => id !== "b" }).nodes.map(n => n.id)).toEqual(["a"]);
    expect(sifted(net, { ...all, types: new Set(["tool"]) }).nodes).toHaveLength(1);
  });
});

describe("a way", () => {
  const web: Record<string, string[]> = { a: ["b", "c"], b: ["d"], c: ["e"], e: ["d"], d: ["f"] };
  const search = (more = false) => ({
    ask: (id: string) => Promise.resolve({ items: (web[id] ?? []).map(to => item(to, id)), more }),
    stopped: () => false,
  });

  it("is a shortest one", async () => {
    const way = await wayBetween("a", "f", search());
    expect(way.end === "found" && way.steps.map(step => step.to)).toEqual(["b", "d", "f"]);
  });

  it("says whether there is none or whether it stopped", async () => {
    expect((await wayBetween("f", "a", search())).end).toBe("none");
    expect((await wayBetween("f", "a", search(true))).end).toBe("bounded");
    let n = 0;
    const wide = {
      ask: (id: string) =>
        Promise.resolve({
          items: Array.from({ length: 9 }, () => item(`n${String((n += 1))}`, id)),
          more: false,
        }),
      stopped: () => false,
    };
    const way = await wayBetween("a", "z", wide);
    expect(way).toEqual({ end: "bounded", asked: ASKED_MAX });
  });
});

describe("times", () => {
  const entity = (original: object) => {
    const body = { created: "2026-01-02T00:00:00Z", modified: "2026-02-02T00:00:00Z" };
    const layer = { body: { ...body, original: JSON.stringify(original) } };
    const one = entityOf({ layers: [layer] } as never);
    if (!one) throw new Error("no entity");
    return timesOf(one);
  };

  it("are what the original says, and else when it was made and changed", () => {
    expect(entity({ first_seen: "2025-01-01T00:00:00Z" })).toEqual({
      from: Date.UTC(2025, 0, 1),
      to: Date.UTC(2026, 1, 2),
      said: true,
    });
    expect(entity({})?.from).toBe(Date.UTC(2026, 0, 2));
    expect(entity({})?.said).toBe(false);
  });

  it("are counted in each part that they touch", () => {
    const spans = [
      { from: 0, to: 100 },
      { from: 90, to: 100 },
    ];
    expect(counts(spans, { from: 0, to: 100 }, 4)).toEqual([1, 1, 1, 2]);
    expect(counts([], { from: 0, to: 0 }, 2)).toEqual([0, 0]);
  });
});
