import { describe, expect, it } from "vitest";
import { ours } from "./trusted";

describe("scripts that may run", () => {
  it("are our own built files and no others", () => {
    const origin = "https://muster.example";
    expect(ours("/assets/live-Ab_1.js", origin)).toBe(true);
    expect(ours("https://muster.example/assets/x.js", origin)).toBe(true);
    for (const url of [
      "https://elsewhere.example/assets/x.js",
      "//elsewhere.example/assets/x.js",
      "/api/people",
      "/assets/../api/x.js",
      "/assets/x.json",
      "/assets/x.js?y",
      "data:text/javascript,1",
      "blob:https://muster.example/1",
    ]) {
      expect(ours(url, origin), url).toBe(false);
    }
  });
});
