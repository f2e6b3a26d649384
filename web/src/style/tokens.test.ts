/// <reference types="node" />
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");

/** The tokens of a rule, by its selector. */
function tokensOf(selector: string): Map<string, string> {
  const at = css.indexOf(`${selector} {`);
  expect(at, selector).toBeGreaterThanOrEqual(0);
  const body = css.slice(at, css.indexOf("}", at));
  return new Map([...body.matchAll(/--([\w-]+):\s*([^;]+);/g)].map(m => [m[1]!, m[2]!.trim()]));
}

const root = tokensOf(":root");
const THEMES = new Map([
  ["dark", root],
  ...["light", "night", "contrast"].map((name): [string, Map<string, string>] => {
    return [name, new Map([...root, ...tokensOf(`:root[data-theme="${name}"]`)])];
  }),
]);

/** Relative luminance (WCAG 2.2). */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map(at => {
    const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [one, two] = [luminance(a), luminance(b)];
  return (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
}

const GROUNDS = ["page", "panel", "raised", "select", "hover"];
const STATUSES = ["critical", "serious", "caution", "normal", "standby", "off"];
const FAMILIES = ["actor", "tool", "technique", "place", "evidence", "other"];

describe.each([...THEMES])("the theme %s", (_name, tokens) => {
  const least = (front: string, grounds: readonly string[], ratio: number): void => {
    for (const ground of grounds) {
      const found = contrast(tokens.get(front)!, tokens.get(ground)!);
      expect(found, `${front} on ${ground}`).toBeGreaterThanOrEqual(ratio);
    }
  };

  it("is read in small print", () => {
    least("text", GROUNDS, 7);
    least("dim", GROUNDS, 4.5);
    least("stale", ["page", "panel", "raised"], 4.5);
    least("accent", GROUNDS, 4.5);
    least("accent-ink", ["accent"], 4.5);
    least("text", ["critical-ground"], 7);
  });

  it("shows edges, the focus and each status", () => {
    least("edge", ["page", "panel", "raised"], 3);
    for (const family of FAMILIES) least(`family-${family}`, ["page", "panel"], 3);
    for (const status of STATUSES) least(`${status}-edge`, ["page", "panel", "raised"], 3);
  });
});
