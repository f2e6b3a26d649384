import { expect, it } from "vitest";
import type { Obstacle, Told } from "./model";
import { stepsOf, verdictOf } from "./steps";

const obstacle = (by: Obstacle["by"]): Obstacle => ({
  by,
  because: [],
  circle: null,
  clauses: [],
  near: [],
});
const told = (...by: Obstacle["by"][]): Told => ({
  id: "",
  reads: by.length === 0,
  clauses: [],
  rules: [],
  withheld: false,
  needs: null,
  obstacles: by.map(obstacle),
});
const results = (...of: Parameters<typeof stepsOf>) =>
  stepsOf(...of).map(({ name, result }) => `${name} ${result}`);

it("passes every step of what is read", () => {
  expect(results(told(), "person", "c")).toEqual([
    "label passes",
    "circle passes",
    "clause passes",
    "role passes",
  ]);
  expect(results(told(), "agency", null)[0]).toBe("label assumed");
  expect(results(told(), "agency", null)[1]).toBe("circle none");
});

it("never says that a step passes which was not decided", () => {
  expect(results(told("clearance"), "person", null)).toEqual([
    "label fails",
    "circle none",
    "clause passes",
    "role open",
  ]);
  expect(results(told("inactive"), "person", "c")).toEqual([
    "active fails",
    "label open",
    "circle passes",
    "clause open",
    "role open",
  ]);
  expect(results(told("clause", "circle"), "agency", "c")).toContain("role open");
});

it("says what an agency's readers need", () => {
  const needs = { roles: ["DUTY"], training: [], releasable_to: [] };
  expect(results({ ...told(), needs }, "agency", null)).toContain("role needs");
});

it("tells apart all, some and none", () => {
  expect(verdictOf([told(), told()])).toBe("all");
  expect(verdictOf([told(), told("clause")])).toBe("some");
  expect(verdictOf([told("clause")])).toBe("none");
});
