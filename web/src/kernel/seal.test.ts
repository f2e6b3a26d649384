import { describe, expect, it } from "vitest";
import { importKey, seal, unseal } from "./seal";

const keyOf = (byte: number): Promise<CryptoKey> =>
  importKey(btoa(String.fromCharCode(...new Array<number>(32).fill(byte))));

describe("what a device keeps", () => {
  it("opens under its key and name, and says nothing before", async () => {
    const key = await keyOf(255);
    const sealed = await seal(key, "me/report", { title: "Ελλάς" });
    expect(await unseal(key, "me/report", sealed)).toEqual({ title: "Ελλάς" });
    expect(new TextDecoder().decode(sealed.bytes)).not.toContain("title");
  });

  it("opens for nobody else, under no other name, and not when it was altered", async () => {
    const key = await keyOf(1);
    const sealed = await seal(key, "me/report", "text");
    expect(await unseal(await keyOf(2), "me/report", sealed)).toBeUndefined();
    expect(await unseal(key, "me/alert", sealed)).toBeUndefined();
    new Uint8Array(sealed.bytes)[0]! ^= 1;
    expect(await unseal(key, "me/report", sealed)).toBeUndefined();
  });

  it("is never sealed the same way twice", async () => {
    const key = await keyOf(3);
    const [one, two] = await Promise.all([seal(key, "n", "text"), seal(key, "n", "text")]);
    expect([...one.iv]).not.toEqual([...two.iv]);
    expect([...new Uint8Array(one.bytes)]).not.toEqual([...new Uint8Array(two.bytes)]);
  });
});
