import { describe, expect, it } from "vitest";
import { isCharacterKey, step, written, type KeyPress } from "./keymap";

const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrl: false,
  alt: false,
  shift: false,
  inField: false,
  ...more,
});

const BOUND = [
  { keys: "a", id: "acknowledge" },
  { keys: "Shift A", id: "acknowledge-with-note" },
  { keys: "g w", id: "watch" },
  { keys: "g a", id: "agreements" },
  { keys: "Ctrl K", id: "palette" },
  { keys: "?", id: "help" },
  { keys: "Escape", id: "close" },
];

describe("keys", () => {
  it("are written as people read them", () => {
    expect(written(press("a"))).toBe("a");
    expect(written(press("A", { shift: true }))).toBe("Shift A");
    expect(written(press("k", { ctrl: true }))).toBe("Ctrl K");
    expect(written(press("?", { shift: true }))).toBe("?");
    expect(written(press("Enter", { shift: true }))).toBe("Shift Enter");
  });

  it("stand for commands", () => {
    expect(step(BOUND, press("a"), null, "on")).toEqual({ type: "run", id: "acknowledge" });
    const shift = press("A", { shift: true });
    expect(step(BOUND, shift, null, "on")).toEqual({ type: "run", id: "acknowledge-with-note" });
    expect(step(BOUND, press("x"), null, "on")).toEqual({ type: "none" });
  });

  it("come one after the other", () => {
    expect(step(BOUND, press("g"), null, "on")).toEqual({ type: "wait", first: "g" });
    expect(step(BOUND, press("a"), "g", "on")).toEqual({ type: "run", id: "agreements" });
    // A second key that goes with nothing is taken for itself.
    expect(step(BOUND, press("?"), "g", "on")).toEqual({ type: "run", id: "help" });
  });

  it("mean text in a field, except with Ctrl", () => {
    expect(step(BOUND, press("a", { inField: true }), null, "on")).toEqual({ type: "none" });
    const ctrl = press("k", { ctrl: true, inField: true });
    expect(step(BOUND, ctrl, null, "on")).toEqual({ type: "run", id: "palette" });
  });

  it("of a single character can be turned off", () => {
    expect(step(BOUND, press("a"), null, "off")).toEqual({ type: "none" });
    expect(step(BOUND, press("g"), null, "off")).toEqual({ type: "none" });
    expect(step(BOUND, press("Escape"), null, "off")).toEqual({ type: "run", id: "close" });
    expect(["a", "g w", "?", "Shift A"].every(isCharacterKey)).toBe(true);
    expect(["Ctrl K", "Enter", "ArrowDown"].some(isCharacterKey)).toBe(false);
  });
});
