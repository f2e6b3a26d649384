// Inclusion proofs, verified in the browser (RFC 9162 §2.1.3.2).

export interface Proof {
  entry: string;
  sequence: number;
  leaf: string;
  leaf_hash: string;
  path: string[];
  size: number;
  root: string;
  checkpoint: string;
}

/** One step of the way from the leaf to the root. */
export interface Step {
  /** The hash beside the way, and on which side it stands. */
  beside: string;
  side: "left" | "right";
  /** What both give together. */
  gives: string;
}

export interface Walk {
  leaf: string;
  steps: Step[];
  root: string;
  proved: boolean;
}

const bytesOf = (hex: string): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16);
  }
  return bytes;
};

const hexOf = (bytes: ArrayBuffer): string =>
  [...new Uint8Array(bytes)].map(byte => byte.toString(16).padStart(2, "0")).join("");

async function hash(prefix: number, ...parts: Uint8Array[]): Promise<string> {
  const length = parts.reduce((sum, part) => sum + part.length, 1);
  const whole = new Uint8Array(length);
  whole[0] = prefix;
  let at = 1;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return hexOf(await crypto.subtle.digest("SHA-256", whole));
}

/** The hash of a leaf: SHA-256(0x00 ‖ leaf). */
export const leafHash = (leaf: string): Promise<string> => hash(0, bytesOf(leaf));
/** The hash of a node: SHA-256(0x01 ‖ left ‖ right). */
export const nodeHash = (left: string, right: string): Promise<string> =>
  hash(1, bytesOf(left), bytesOf(right));

/** Walks from the leaf to the root, and says whether it is the one that was signed. */
export async function walk(proof: Proof): Promise<Walk> {
  const leaf = await leafHash(proof.leaf);
  const steps: Step[] = [];
  let node = proof.sequence;
  let last = proof.size - 1;
  let root = leaf;
  for (const beside of proof.path) {
    if (last === 0) return { leaf, steps, root, proved: false };
    const left = node % 2 === 1 || node === last;
    root = left ? await nodeHash(beside, root) : await nodeHash(root, beside);
    steps.push({ beside, side: left ? "left" : "right", gives: root });
    if (left) {
      while (node % 2 === 0 && node !== 0) {
        node = Math.floor(node / 2);
        last = Math.floor(last / 2);
      }
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  const inside = proof.sequence < proof.size && last === 0;
  return { leaf, steps, root, proved: inside && leaf === proof.leaf_hash && root === proof.root };
}
