import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Label, Marking } from "./label";
import { atMost, bannerOf, colourOf, faultOf, inkOn, joinLabels, plain, portionOf } from "./label";
import { schemes } from "./schemes";

const label = (markings: Record<string, Marking>): Label => ({
  markings,
  originators: ["a"],
  play: "live",
});
const nat = (level: number, more: Partial<Marking> = {}): Label =>
  label({ NAT: { ...plain(level), ...more } });

const some = (codes: string[]) => fc.subarray(codes, { maxLength: Math.min(3, codes.length) });

const anyLabel: fc.Arbitrary<Label> = fc
  .subarray([...schemes()], { minLength: 1, maxLength: 2 })
  .chain(chosen => {
    const markings = chosen.map(of => {
      const codes = [...of.audiences, ...of.groups].map(a => a.code);
      const lists = of.marking.phrases_only ? of.phrases.map(p => fc.constant(p.codes)) : [];
      const list = lists.length > 0 ? fc.oneof(...lists) : some(codes);
      const releasable_to = fc.oneof(
        fc.constant("unrestricted" as const),
        list.map(only => ({ only })),
      );
      const marking: fc.Arbitrary<[string, Marking]> = fc
        .record({
          level: fc.constantFrom(...of.levels.map(l => l.rank)),
          compartments: some(of.compartments.map(c => c.code)),
          releasable_to,
          caveats: some(of.caveats.map(c => c.code)),
        })
        .map(m => [of.id, m]);
      return marking;
    });
    return fc.tuple(...markings).map(all => label(Object.fromEntries(all)));
  });

describe("writing", () => {
  it("spells the banner out and shortens the portion", () => {
    const some = nat(4, { compartments: ["TIDEWATER", "KESTREL"], caveats: ["ORCON"] });
    const only = { only: ["POLICE", "FIRE"] };
    some.markings["NAT"] = { ...some.markings["NAT"]!, releasable_to: only };
    const written = "SECRET//KESTREL/TIDEWATER//REL TO FIRE, POLICE//ORIGINATOR CONTROLLED";
    expect(bannerOf(some)).toBe(written);
    expect(portionOf(some)).toBe("(S//KST/TWR//REL TO FIRE, POLICE//OC)");
  });

  it("fuses, phrases and says nobody", () => {
    const uk = label({ UK: { ...plain(1), caveats: ["SENSITIVE"] } });
    expect(bannerOf(uk)).toBe("UK OFFICIAL-SENSITIVE");
    const eyes = label({ UK: { ...plain(2), releasable_to: { only: ["GBR"] } } });
    expect(portionOf(eyes)).toBe("(UK S//UKEO)");
    expect(bannerOf(nat(2, { releasable_to: { only: [] } }))).toBe("RESTRICTED//REL TO NOBODY");
    expect(bannerOf(label({ TLP: plain(0) }))).toBe("TLP:CLEAR");
  });

  it("says EXERCISE first", () => {
    const play = { exercise: "e" };
    expect(bannerOf({ ...nat(2), play })).toBe("EXERCISE | RESTRICTED");
    expect(portionOf({ ...nat(2), play })).toBe("(EXERCISE | R)");
  });

  it("takes colours from the scheme and ink that is read on them", () => {
    expect(colourOf(nat(4).markings)).toBe("#c8102e");
    const amber = ["TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"];
    const tlp = { TLP: { ...plain(0), releasable_to: { only: amber } } };
    expect(colourOf(tlp)).toBe("#ffc000");
    expect(inkOn("#c8102e")).toBe("#ffffff");
    expect(inkOn("#ffc000")).toBe("#000000");
  });
});

describe("the banner of a page", () => {
  it("is the join of all that is shown", () => {
    const joined = joinLabels([nat(2), nat(4, { compartments: ["KESTREL"] }), nat(3)]);
    expect(joined && bannerOf(joined)).toBe("SECRET//KESTREL");
    expect(joinLabels([])).toBeNull();
  });

  it("meets a group and its members at the members", () => {
    const a = nat(3, { releasable_to: { only: ["FORCES"] } });
    const b = nat(3, { releasable_to: { only: ["ARMY", "POLICE"] } });
    const joined = joinLabels([a, b]);
    expect(joined && bannerOf(joined)).toBe("CONFIDENTIAL//REL TO ARMY");
  });

  it("is never below a portion of the page, whatever the labels and their order", () => {
    const rule = fc.property(fc.array(anyLabel, { minLength: 1, maxLength: 6 }), labels => {
      const banner = joinLabels(labels);
      const back = joinLabels([...labels].reverse());
      expect(banner && back).toBeTruthy();
      if (!banner || !back) return;
      for (const portion of labels) expect(atMost(portion.markings, banner.markings)).toBe(true);
      expect(atMost(banner.markings, back.markings)).toBe(true);
      expect(atMost(back.markings, banner.markings)).toBe(true);
    });
    fc.assert(rule, { numRuns: 300 });
  });

  it("does not fall when something more is shown", () => {
    const rule = fc.property(fc.array(anyLabel, { maxLength: 4 }), anyLabel, (labels, more) => {
      const [before, after] = [joinLabels(labels), joinLabels([...labels, more])];
      expect(after && (!before || atMost(before.markings, after.markings))).toBe(true);
    });
    fc.assert(rule, { numRuns: 200 });
  });
});

describe("composing", () => {
  it("names the rule that a marking breaks", () => {
    expect(faultOf("NAT", plain(2))).toBeNull();
    expect(faultOf("NAT", { ...plain(2), compartments: ["KESTREL"] })).toMatch(/KESTREL/);
    expect(faultOf("NAT", { ...plain(4), compartments: ["GREYSTONE"] })).toMatch(/needs KESTREL/);
    const both = ["GREYSTONE", "KESTREL", "LANTERN"];
    expect(faultOf("NAT", { ...plain(4), compartments: both })).toMatch(/LANTERN/);
    expect(faultOf("XX", plain(1))).toMatch(/not known/);
  });
});
