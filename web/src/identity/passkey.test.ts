import { describe, expect, it } from "vitest";
import { codeIn, decode, digestOf, draw, encode } from "./passkey";

describe("base64url", () => {
  it("is without padding, and comes back as it was", () => {
    // RFC 4648 §10, and bytes whose letters differ from base64.
    const vectors: [string, number[]][] = [
      ["", []],
      ["Zg", [102]],
      ["Zm9vYg", [102, 111, 111, 98]],
      ["-_8", [251, 255]],
    ];
    for (const [text, bytes] of vectors) {
      expect(encode(new Uint8Array(bytes))).toBe(text);
      expect([...decode(text)]).toEqual(bytes);
    }
  });
});

describe("a one-time code", () => {
  it("has 256 bits, and the node is given its SHA-256 alone", async () => {
    const [one, two] = [await draw(), await draw()];
    expect(decode(one.code)).toHaveLength(32);
    expect(one.code).not.toBe(two.code);
    expect(one.digest).toBe(await digestOf(one.code));
    // FIPS 180-4, the message `abc`.
    expect(await digestOf("abc")).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });

  it("stands behind the # of the address, and nothing else does", () => {
    expect(codeIn("#enrol=abcdefghijklmnopqrstuvwxyz")).toBe("abcdefghijklmnopqrstuvwxyz");
    for (const hash of ["", "#enrol=", "#enrol=short", "#other=abcdefghijklmnopqrstuvwxyz"]) {
      expect(codeIn(hash)).toBe("");
    }
  });
});
