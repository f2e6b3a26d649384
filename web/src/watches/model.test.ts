import { expect, test } from "vitest";
import { ahead, overlaps, typedTime, type Watch } from "./index";

const watch = (id: string, seat: string, startsAt: number, endsAt: number): Watch =>
  ({ id, body: { seat }, startsAt, endsAt }) as never;

test("times are typed in UTC, and nothing else is one", () => {
  expect(typedTime("2026-11-24 06:00")).toBe("2026-11-24T06:00:00.000Z");
  expect(typedTime(" 2026-11-24T06:00Z ")).toBe("2026-11-24T06:00:00.000Z");
  for (const text of ["", "06:00", "2026-11-24", "2026-13-24 06:00", "2026-11-24 25:00"]) {
    expect(typedTime(text)).toBeNull();
  }
});

test("what has ended is not ahead, and the next comes first", () => {
  const all = [watch("c", "s", 30, 40), watch("a", "s", 0, 10), watch("b", "s", 10, 20)];
  expect(ahead(all, 10).map(one => one.id)).toEqual(["b", "c"]);
});

test("watches overlap on one seat only, and not where one follows the other", () => {
  const one = watch("a", "s", 0, 10);
  expect(overlaps(one, [one, watch("b", "s", 9, 20)])).toBe(true);
  expect(overlaps(one, [one, watch("b", "s", 10, 20)])).toBe(false);
  expect(overlaps(one, [one, watch("b", "other", 0, 10)])).toBe(false);
});
