import { expect, test } from "vitest";
import type { Rendition } from "../api/records";
import { clockWords, declarationOf, elapsedMs, grouped, ordered, standing, stateOf } from "./model";

const layer = (body: object): Rendition["layers"][number] =>
  ({ id: "l", label: {}, mark: "(R)", circle: null, changed_at: "", body }) as never;

function made(
  state: string,
  body: object,
  own?: object,
): NonNullable<ReturnType<typeof declarationOf>> {
  const layers = own ? [layer(body), layer(own)] : [layer(body)];
  const rendition = { id: "d", agency: "a", state, layers } as never as Rendition;
  const read = declarationOf(rendition);
  if (!read) throw new Error("no declaration");
  return read;
}

const AT = "2026-11-22T12:00:00.000Z";

test("a record without a layer is no declaration", () => {
  expect(declarationOf({ id: "d", layers: [] } as never)).toBeNull();
});

test("the clock runs from the declaration and stops when it is stood down", () => {
  const now = Date.parse(AT) + 3_723_000;
  expect(clockWords(elapsedMs(made("declared", { declared_at: AT }), now))).toBe("1:02:03");
  const ended = made("ended", { declared_at: AT, ended_at: "2026-11-22T12:00:09.000Z" });
  expect(clockWords(elapsedMs(ended, now))).toBe("0:00:09");
  expect(elapsedMs(made("declared", { declared_at: AT }), Date.parse(AT) - 5)).toBe(0);
});

test("a role without a person waits, and what was refused is worse", () => {
  const gap = {
    duty: "fill",
    role: "Commander",
    seat: "s",
    person: null,
    at: AT,
    entry: "e",
  } as const;
  expect(standing(gap).word).toBe("waiting");
  expect(standing({ ...gap, person: "p" }).word).toBe("done");
  expect(stateOf(made("declared", { duties: [gap] })).status).toBe("caution");
  const refused = { duty: { duty: "alert", agency: "x" }, reason: "no-clause" };
  const own = made("declared", { duties: [gap] }, { refused: [refused] });
  expect(stateOf(own).status).toBe("serious");
  expect(own.refused).toEqual([refused]);
  expect(stateOf(made("ended", {})).word).toBe("ended");
});

test("agencies that one entry alerted stand in one row, each role in its own", () => {
  const of = (duty: "alert" | "join", agency: string, entry: string) =>
    ({ duty, agency, at: AT, entry }) as const;
  const fill = { duty: "fill", role: "r", seat: "s", person: "p", at: AT, entry: "e" } as const;
  const duties = [
    of("alert", "a", "e"),
    of("alert", "b", "e"),
    of("join", "a", "e"),
    fill,
    { ...fill, role: "q" },
    of("alert", "c", "later"),
  ];
  const rows = grouped(duties);
  expect(rows.map(row => row.length)).toEqual([2, 1, 1, 1, 1]);
  expect(rows.flat()).toHaveLength(duties.length);
});

test("what is on stands before what has ended", () => {
  const on = made("declared", { declared_at: AT });
  const ended = made("ended", { declared_at: "2026-11-22T13:00:00.000Z" });
  expect(ordered([ended, on])).toEqual([on, ended]);
});
