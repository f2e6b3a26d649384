import { expect, it } from "vitest";
import { lackWords, needWords, obstacleWords, together, type Obstacle } from "./model";

const cited = { agreement: "a", clause: "c", version: 1 };
const obstacle: Obstacle = {
  by: "clause",
  because: [],
  circle: null,
  clauses: [],
  near: [],
};

it("names a clause once, however many labels rest on it", () => {
  const own = { clauses: [cited], rules: ["reports/own-people-read"], withheld: false };
  const raised = { clauses: [{ ...cited }], rules: [], withheld: true };
  expect(together([own, raised])).toEqual({ ...own, withheld: true });
});

it("says that an agreement is missing only where there is none", () => {
  const none = obstacleWords(obstacle, "Customs", "report:read");
  expect(none).toContain("no agreement with Customs");
  const bare = { agreement: "a", clause: null, version: null, lacks: [] };
  const words = (near: Obstacle["near"]): string =>
    obstacleWords({ ...obstacle, near }, "Customs", "report:read");
  expect(words([bare])).toContain("No clause with “report:read”");
  expect(words([{ ...bare, clause: "c", version: 1 }, bare])).toContain("nearest");
});

it("says what is short by name", () => {
  const short = { ...obstacle, by: "clearance" as const, because: ["level" as const] };
  expect(obstacleWords(short, "", "")).toContain("level");
  const level = { what: "level" as const, scheme: "NAT", ceiling: "RESTRICTED" };
  expect(lackWords(level, "report:read", "Customs")).toBe("It ends at RESTRICTED.");
  expect(lackWords({ what: "clause" }, "report:read", "Customs")).toContain("Customs");
});

it("asks for nothing besides the clearance when nothing is needed", () => {
  expect(needWords({ roles: [], training: [], releasable_to: [] })).toEqual([]);
  expect(needWords(null)).toEqual([]);
  const needs = needWords({ roles: ["DUTY"], training: ["SOURCES"], releasable_to: ["FRA"] });
  expect(needs).toHaveLength(3);
});
