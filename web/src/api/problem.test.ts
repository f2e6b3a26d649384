import { describe, expect, it } from "vitest";
import { faultOf, faultOfError, raiseFieldOf, wordsOf, worthRepeating } from "./problem";

const problem = (slug: string, status: number, detail = "why") =>
  faultOf(status, { type: `/docs/errors#${slug}`, title: slug, status, detail });

describe("faults", () => {
  it("are read from a problem by the slug of its type", () => {
    const fault = problem("no-clause", 403, "alert:read does not flow to FIRE");
    expect(fault).toEqual({
      slug: "no-clause",
      status: 403,
      detail: "alert:read does not flow to FIRE",
    });
    expect(wordsOf(fault)).toMatch(/^No clause .* The node says: alert:read .* FIRE\.$/);
  });

  it("of an unknown slug say what the node said", () => {
    expect(wordsOf(problem("quite-new", 409, "the moon is full"))).toBe(
      "The node says: the moon is full.",
    );
    expect(wordsOf(problem("quite-new", 403, "no"))).toMatch(/^You may not do this/);
  });

  it("are unreadable when they are no problem", () => {
    for (const body of [null, "", [], {}, { type: 1, title: "x", detail: "y" }, "<html>"]) {
      expect(faultOf(502, body).slug).toBe("unreadable");
    }
    expect(wordsOf(faultOf(502, null))).toMatch(/cannot read/);
  });

  it("of the way there tell that nothing is lost", () => {
    expect(faultOfError(new TypeError("fetch failed")).slug).toBe("network");
    expect(faultOfError(new DOMException("late", "TimeoutError")).slug).toBe("timeout");
    expect(wordsOf(faultOfError(null))).toMatch(/Nothing is lost/);
  });

  it("are worth repeating only when the node may do it the next time", () => {
    const all = [problem("busy", 503), problem("x", 409), faultOfError(null), problem("x", 403)];
    expect(all.map(worthRepeating)).toEqual([true, false, true, false]);
  });

  it("lead to the field that they are about", () => {
    expect(raiseFieldOf(problem("no-clause", 403))).toBe("audience");
    expect(raiseFieldOf(problem("invalid-label", 400))).toBe("label");
    const place = problem("invalid-command", 400, "command: latitude 91 is outside -90 to 90");
    expect(raiseFieldOf(place)).toBe("place");
    expect(raiseFieldOf(problem("busy", 503))).toBeNull();
    expect(raiseFieldOf(problem("invalid-command", 400, "command: eof"))).toBeNull();
  });
});
