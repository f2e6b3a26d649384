import { describe, expect, it } from "vitest";
import { speedOf } from "./speed";

describe("the speed of a play", () => {
  it("is seen from two looks at its clock", () => {
    const first = { play: 0, here: 0 };
    expect(speedOf(first, { play: 1_210, here: 1_200 })).toBe(1);
    expect(speedOf(first, { play: 24_400, here: 1_200 })).toBe(20);
    expect(speedOf(first, { play: 500, here: 100 })).toBeNull();
    // A clock that was set back is no play that runs backwards.
    expect(speedOf(first, { play: -9_000, here: 1_200 })).toBe(1);
  });
});
