// Labels as values: which is higher, what several make together, and how they are written.
//
// The same rules as `policy::dominance` and `policy::marking` on the server, which decides; here
// they only say what the banner of the page must show.

import { scheme, schemes, type Category, type Scheme } from "./schemes";

export type Releasable = "unrestricted" | { only: string[] };

export interface Marking {
  level: number;
  compartments: string[];
  releasable_to: Releasable;
  caveats: string[];
}

export type Markings = Record<string, Marking>;

export type Play = "live" | { exercise: string };

export interface Label {
  markings: Markings;
  originators: string[];
  play: Play;
}

export type Form = "banner" | "portion";

const union = (a: string[], b: string[]): string[] => [...new Set([...a, ...b])].sort();
const within = (a: string[], b: string[]): boolean => a.every(code => b.includes(code));

/** A marking that restricts nothing but the level. */
export function plain(level: number): Marking {
  return { level, compartments: [], releasable_to: "unrestricted", caveats: [] };
}

/** Puts the members in place of each group, as they are in the scheme. */
function expanded(of: Scheme | undefined, codes: string[]): string[] {
  const members = (code: string) => of?.groups.find(group => group.code === code)?.members;
  return [...new Set(codes.flatMap(code => members(code) ?? [code]))].sort();
}

function commonAudience(of: Scheme | undefined, a: Releasable, b: Releasable): Releasable {
  if (a === "unrestricted") return b;
  if (b === "unrestricted") return a;
  if (within(a.only, b.only) && within(b.only, a.only)) return a;
  const [left, right] = [expanded(of, a.only), expanded(of, b.only)];
  const common = left.filter(code => right.includes(code));
  // The shorter way of writing the same audience.
  if (common.length === left.length) return a;
  if (common.length === right.length) return b;
  return { only: common };
}

/** The marking of a page that shows two: highest level, all codes, common audience. */
export function joinMarkings(id: string, a: Marking, b: Marking): Marking {
  return {
    level: Math.max(a.level, b.level),
    compartments: union(a.compartments, b.compartments),
    releasable_to: commonAudience(scheme(id), a.releasable_to, b.releasable_to),
    caveats: union(a.caveats, b.caveats),
  };
}

/** The least label that is at least as high as all; null for none. */
export function joinLabels(labels: Iterable<Label>): Label | null {
  let joined: Label | null = null;
  for (const label of labels) {
    if (joined === null) {
      joined = label;
      continue;
    }
    const markings: Markings = { ...joined.markings };
    for (const [id, marking] of Object.entries(label.markings)) {
      const mine = markings[id];
      markings[id] = mine ? joinMarkings(id, mine, marking) : marking;
    }
    // Real life and an exercise never share a page; if they did, the page would be real.
    const same: boolean = JSON.stringify(joined.play) === JSON.stringify(label.play);
    const play: Play = same ? joined.play : "live";
    joined = { markings, originators: union(joined.originators, label.originators), play };
  }
  return joined;
}

function atMostMarking(id: string, low: Marking, high: Marking): boolean {
  const audience = (): boolean => {
    if (low.releasable_to === "unrestricted") return true;
    if (high.releasable_to === "unrestricted") return false;
    const of = scheme(id);
    return within(expanded(of, high.releasable_to.only), expanded(of, low.releasable_to.only));
  };
  return (
    low.level <= high.level &&
    within(low.compartments, high.compartments) &&
    within(low.caveats, high.caveats) &&
    audience()
  );
}

/** Says whether the markings of `low` are at most as restrictive as those of `high`. */
export function atMost(low: Markings, high: Markings): boolean {
  return Object.entries(low).every(([id, marking]) => {
    const other = high[id];
    return other !== undefined && atMostMarking(id, marking, other);
  });
}

const words = (category: Category, form: Form): string =>
  form === "banner" ? category.name : category.portion;

function codesPart(of: Scheme, known: Category[], used: string[], form: Form): string | null {
  const texts = known.filter(c => !c.fused && used.includes(c.code)).map(c => words(c, form));
  return texts.length > 0 ? texts.join(of.marking.within) : null;
}

function levelPart(of: Scheme, marking: Marking, form: Form): string {
  const level = of.levels.find(l => l.rank === marking.level);
  const text = level ? (form === "banner" ? level.name : level.portion) : `LEVEL ${marking.level}`;
  const fused = of.caveats.find(c => c.fused && marking.caveats.includes(c.code));
  return fused ? `${text}-${words(fused, form)}` : text;
}

function sameCodes(a: string[], b: string[]): boolean {
  return a.length === b.length && within(a, b);
}

function audiencePart(of: Scheme, audience: Releasable, form: Form): string | null {
  if (audience === "unrestricted") return of.marking.unrestricted;
  if (audience.only.length === 0) return of.marking.nobody;
  const phrase = of.phrases.find(p => sameCodes(p.codes, audience.only));
  if (phrase) return form === "banner" ? phrase.name : phrase.portion;
  return `${of.marking.release}${[...audience.only].sort().join(", ")}`;
}

/** Writes a marking in one form, without brackets. */
export function writeMarking(id: string, marking: Marking, form: Form): string {
  const of = scheme(id);
  if (!of) return `${id} LEVEL ${marking.level}`;
  const parts = of.marking.order.map(part => {
    if (part === "level") return levelPart(of, marking, form);
    if (part === "compartments") {
      return codesPart(of, of.compartments, marking.compartments, form);
    }
    if (part === "releasable") return audiencePart(of, marking.releasable_to, form);
    return codesPart(of, of.caveats, marking.caveats, form);
  });
  return parts.filter(part => part !== null).join(of.marking.separator);
}

const inOrder = (markings: Markings): [string, Marking][] =>
  Object.entries(markings).sort(([a], [b]) => (a < b ? -1 : 1));

/** Writes markings in one form, without brackets. */
export function writeMarkings(markings: Markings, form: Form): string {
  return inOrder(markings)
    .map(([id, marking]) => writeMarking(id, marking, form))
    .join(" | ");
}

/** The words for the top and bottom of a page; an exercise says so first. */
export function bannerOf(label: Label): string {
  const written = writeMarkings(label.markings, "banner");
  return label.play === "live" ? written : `EXERCISE | ${written}`;
}

/** The letters before a paragraph: `(S//REL TO FRA)`. */
export function portionOf(label: Label): string {
  const written = writeMarkings(label.markings, "portion");
  return label.play === "live" ? `(${written})` : `(EXERCISE | ${written})`;
}

/** The colour of a banner: that of the first scheme, in the order of their names. */
export function colourOf(markings: Markings): string | null {
  for (const [id, marking] of inOrder(markings)) {
    const of = scheme(id);
    const audience = marking.releasable_to;
    const phrase =
      audience === "unrestricted"
        ? undefined
        : of?.phrases.find(p => sameCodes(p.codes, audience.only));
    const colour = phrase?.colour ?? of?.levels.find(l => l.rank === marking.level)?.colour;
    if (colour) return colour;
  }
  return null;
}

/** Black or white, whichever is read more easily on a colour (WCAG 2.2 §1.4.3). */
export function inkOn(colour: string): "#000000" | "#ffffff" {
  const channel = (at: number): number => {
    const c = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  const luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  return (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) ? "#000000" : "#ffffff";
}

/** What keeps a person from composing a marking; null when nothing does. */
export function faultOf(id: string, marking: Marking): string | null {
  const of = scheme(id);
  if (!of) return `scheme ${id} is not known`;
  const rank = (code: string | null): number | undefined =>
    code === null ? undefined : of.levels.find(l => l.code === code)?.rank;
  const sorts: [Category[], string[]][] = [
    [of.compartments, marking.compartments],
    [of.caveats, marking.caveats],
  ];
  for (const [sort, used] of sorts) {
    for (const category of sort.filter(c => used.includes(c.code))) {
      const [min, max] = [rank(category.level_min), rank(category.level_max)];
      if (
        (min !== undefined && marking.level < min) ||
        (max !== undefined && marking.level > max)
      ) {
        return `${category.name} may not stand with this level`;
      }
      const missing = category.requires.find(code => !used.includes(code));
      if (missing) return `${category.name} needs ${missing}`;
      const other = category.excludes.find(code => used.includes(code));
      if (other) return `${category.name} may not stand with ${other}`;
    }
  }
  return null;
}

/** The level's name of a rank in a scheme. */
export function levelName(id: string, rank: number): string {
  return scheme(id)?.levels.find(l => l.rank === rank)?.name ?? `level ${rank} of ${id}`;
}

/** Schemes by which a person may mark something new: those that classify. */
export const composable = (): readonly Scheme[] =>
  schemes().filter(s => s.kind === "classification");
