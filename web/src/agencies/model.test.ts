import { describe, expect, it } from "vitest";
import { treeOf } from "./model";

const node = (id: string, parent: string | null = null) => ({ id, name: id, parent });

describe("the tree of agencies", () => {
  it("puts each below the one it is part of", () => {
    const all = [node("b"), node("a2", "a"), node("a"), node("a1", "a"), node("a11", "a1")];
    const drawn = treeOf(all).map(({ node, depth }) => `${depth}${node.id}`);
    expect(drawn).toEqual(["0a", "1a1", "2a11", "1a2", "0b"]);
  });

  it("takes one whose parent may not be known for a root, and survives a circle", () => {
    expect(treeOf([node("a", "hidden")]).map(({ depth }) => depth)).toEqual([0]);
    expect(treeOf([node("a", "b"), node("b", "a")])).toEqual([]);
  });
});
