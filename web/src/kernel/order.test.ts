import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { settle } from "./order";

const ids = fc.uniqueArray(fc.constantFrom(..."abcdefghij"), { maxLength: 8 });

describe("the order of a live list", () => {
  it("is the wanted one when nobody holds it", () => {
    expect(settle(["a", "b"], ["c", "b", "a"], "free").shown).toEqual(["c", "b", "a"]);
  });

  it("puts what is new behind the pill while it is held", () => {
    const order = settle(["a", "b"], ["c", "b", "a"], "held");
    expect(order).toEqual({ shown: ["a", "b"], fresh: ["c"] });
  });

  it("shows the first rows at once, even when held", () => {
    expect(settle([], ["a"], "held")).toEqual({ shown: ["a"], fresh: [] });
  });

  it("moves no row while it is held, and loses none", () => {
    const rule = fc.property(ids, fc.array(ids, { maxLength: 6 }), (first, changes) => {
      let shown: readonly string[] = first;
      for (const wanted of changes) {
        const before = shown;
        const order = settle(shown, wanted, "held");
        shown = order.shown;
        before.forEach((id, at) => expect(shown[at]).toBe(id));
        for (const id of wanted) expect([...order.shown, ...order.fresh]).toContain(id);
      }
    });
    fc.assert(rule);
  });
});
