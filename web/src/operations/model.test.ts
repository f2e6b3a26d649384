import { expect, test } from "vitest";
import type { Rendition } from "../api/records";
import { courseOf, linesOf, operationOf } from "./model";

const layer = { id: "l", label: {}, mark: "(R)", circle: null, changed_at: "" };
const body = { title: "Flood", phase: "Response", objectives: ["Save life"], opened_at: "" };
const place = { lat: 60.1719, lon: 24.9414 };
const rendition = { id: "o", agency: "a", state: "open", place, layers: [{ ...layer, body }] };
const before = operationOf(rendition as never as Rendition);
const typed = {
  title: "Flood",
  phase: "Response",
  place: "60.1719, 24.9414",
  objectives: "Save life",
};

test("empty lines are no objectives", () => {
  expect(linesOf(" a \n\n  \nb")).toEqual(["a", "b"]);
});

test("of a course only what differs is sent, and nothing that is left empty", () => {
  expect(courseOf(before, typed)).toEqual({});
  const other = { ...typed, phase: "Recovery", objectives: "Save life\nFeed people" };
  expect(courseOf(before, other)).toEqual({
    phase: "Recovery",
    objectives: ["Save life", "Feed people"],
  });
  expect(JSON.stringify(courseOf(before, { ...typed, place: "" }))).toBe("{}");
});

test("a new operation says all of it", () => {
  const all = courseOf(null, { ...typed, phase: "", place: "60.2, 25" });
  expect(JSON.parse(JSON.stringify(all))).toEqual({
    title: "Flood",
    place: { lat: 60.2, lon: 25 },
    objectives: ["Save life"],
  });
});
