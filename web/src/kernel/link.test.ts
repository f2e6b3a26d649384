import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ageMs, backOffMs, DELAYED_MS, linkState, STALE_MS } from "./link";

describe("the connection", () => {
  it("is live, delayed and stale by its age", () => {
    const heard = { socket: "open" as const, at: 1000 };
    const at = (ms: number) => linkState(heard, 1000 + ms);
    expect(at(0)).toBe("live");
    expect(at(DELAYED_MS - 1)).toBe("live");
    expect(at(DELAYED_MS)).toBe("delayed");
    expect(at(STALE_MS)).toBe("stale");
    expect(ageMs(heard, 1400)).toBe(400);
  });

  it("is offline when the stream is closed for longer than a moment", () => {
    expect(linkState({ socket: "closed", at: 0 }, 1_000)).toBe("delayed");
    expect(linkState({ socket: "closed", at: 0 }, 60_000)).toBe("offline");
    expect(linkState({ socket: "connecting", at: null }, 0)).toBe("offline");
  });

  it("is tried again after longer and longer, and never more than 15 s", () => {
    expect(backOffMs(0, 0)).toBe(125);
    expect(backOffMs(3, 1)).toBe(2000);
    const rule = fc.property(fc.nat(100), fc.double({ min: 0, max: 1, noNaN: true }), (n, c) => {
      const wait = backOffMs(n, c);
      return wait >= 125 && wait <= 15_000;
    });
    fc.assert(rule);
  });
});
