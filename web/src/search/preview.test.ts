import { expect, it } from "vitest";
import type { Rendition } from "../api/records";
import { saidIn, titleIn } from "./preview";

const of = (...bodies: object[]): Rendition =>
  ({ layers: bodies.map((body, n) => ({ id: String(n), label: {}, mark: "", body })) }) as never;

it("finds a title wherever a kind keeps it", () => {
  const title = (body: object) => titleIn(of(body).layers[0] as never);
  expect(title({ name: "Civil protection", code: "CIVPRO" })).toBe("Civil protection");
  expect(title({ agreement: { title: "Charter" } })).toBe("Charter");
  expect(title({ seat: "c9e7055e-94a9-4b03-b658-d18ed9da6f84" })).toBeNull();
});

it("reads the words of each layer, and nothing twice", () => {
  const [base, higher] = saidIn(
    of({ title: "A", text: "one", notes: "note" }, { portions: [{ line: "x", text: "two" }] }),
  );
  expect(base?.texts).toEqual(["one", "note"]);
  expect(higher?.texts).toEqual(["two"]);
});
