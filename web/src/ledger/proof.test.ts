import { describe, expect, it } from "vitest";
import { leafHash, nodeHash, walk, type Proof } from "./proof";

/** A tree of leaves, as its definition has it (RFC 9162 §2.1.1). */
async function rootOf(leaves: string[]): Promise<string> {
  if (leaves.length === 1) return leafHash(leaves[0] ?? "");
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return nodeHash(await rootOf(leaves.slice(0, split)), await rootOf(leaves.slice(split)));
}

async function pathOf(leaves: string[], at: number): Promise<string[]> {
  if (leaves.length === 1) return [];
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return at < split
    ? [...(await pathOf(left, at)), await rootOf(right)]
    : [...(await pathOf(right, at - split)), await rootOf(left)];
}

async function proofOf(size: number, at: number): Promise<Proof> {
  const leaves = Array.from({ length: size }, (_, n) => n.toString(16).padStart(4, "0"));
  const leaf = leaves[at] ?? "";
  return {
    entry: "",
    sequence: at,
    leaf,
    leaf_hash: await leafHash(leaf),
    path: await pathOf(leaves, at),
    size,
    root: await rootOf(leaves),
    checkpoint: "",
  };
}

describe("an inclusion proof", () => {
  it("leads each leaf of each small tree to its root", async () => {
    for (let size = 1; size <= 17; size += 1) {
      for (let at = 0; at < size; at += 1) {
        const walked = await walk(await proofOf(size, at));
        expect(walked.proved, `${at} of ${size}`).toBe(true);
      }
    }
  });

  it("is none for another leaf, another place, or another root", async () => {
    const proof = await proofOf(9, 4);
    expect((await walk({ ...proof, leaf: "ffff" })).proved).toBe(false);
    expect((await walk({ ...proof, sequence: 5 })).proved).toBe(false);
    expect((await walk({ ...proof, root: proof.leaf_hash })).proved).toBe(false);
    expect((await walk({ ...proof, path: proof.path.slice(1) })).proved).toBe(false);
    const longer = [...proof.path, proof.root];
    expect((await walk({ ...proof, path: longer })).proved).toBe(false);
  });
});
