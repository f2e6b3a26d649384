import { expect, it } from "vitest";
import { begun, rings } from "./places";

const node = (id: string, from: string | null = "a") => ({ id, type: "", title: "", from });
const edge = (source: string, target: string) => ({
  id: source + target,
  kind: "",
  source,
  target,
});
const drawn = {
  nodes: [node("a", null), node("b"), node("c"), node("d", "b"), node("z")],
  edges: [edge("a", "b"), edge("c", "a"), edge("b", "d")],
};

it("puts each entity on the ring of its distance, and what hangs on nothing outside", () => {
  const places = rings(drawn, "a");
  const far = (id: string): number => {
    const { x, y } = places.get(id) ?? { x: NaN, y: NaN };
    return Math.round(Math.hypot(x, y) / 120);
  };
  expect(["a", "b", "c", "d", "z"].map(far)).toEqual([0, 1, 1, 2, 3]);
});

it("begins the same for the same net, and leaves what has its place", () => {
  const known = new Map([["b", { x: 7, y: 9 }]]);
  expect(begun(drawn, known)).toEqual(begun(drawn, known));
  expect(begun(drawn, known).get("b")).toEqual({ x: 7, y: 9 });
  const places = [...begun(drawn, new Map()).values()].map(({ x, y }) => `${x} ${y}`);
  expect(new Set(places).size).toBe(drawn.nodes.length);
});
