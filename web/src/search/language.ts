// The language of the search box, as `docs/search.md` says it: what each part of a query means.
//
// The node decides; this shows what it will take a query for, and what is wrong before it is asked.

import { parseDtg, parseTime } from "../kernel/dtg";

/** LIMIT: characters of a query. */
export const CHARS_MAX = 200;
/** LIMIT: words of a query. */
export const WORDS_MAX = 32;

export const NARROWS = ["kind", "from", "after", "before"] as const;
export type Narrow = (typeof NARROWS)[number];

export interface Part {
  sort: "word" | "phrase" | Narrow;
  /** Without its quotation marks, or without the name before the colon. */
  value: string;
  /** Where it stands in the query, quotation marks included. */
  start: number;
  end: number;
  wrong: Wrong | null;
}

export type Wrong = "kind" | "agency" | "time" | "open" | "repeated" | "empty-span";

/** What is known when a query is read. */
export interface Known {
  kinds: readonly string[];
  /** Codes of agencies. */
  agencies: readonly string[];
}

/** Milliseconds of a time as the box takes it. */
export const timeOf = (value: string): number | null => parseDtg(value) ?? parseTime(value);

const narrowOf = (word: string): [Narrow, string] | null => {
  const at = word.indexOf(":");
  const name = NARROWS.find(one => one === word.slice(0, at));
  return at > 0 && name && at < word.length - 1 ? [name, word.slice(at + 1)] : null;
};

/** Reads a query: words by spaces, and what stands between quotation marks. */
export function partsOf(query: string, known: Known): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const [n, run] of query.split('"').entries()) {
    if (n % 2 === 1) {
      const open = at + run.length >= query.length;
      if (run.trim() !== "" || open) {
        const end = Math.min(query.length, at + run.length + 1);
        const wrong = open ? "open" : null;
        parts.push({ sort: "phrase", value: run, start: at - 1, end, wrong });
      }
    } else {
      for (const found of run.matchAll(/\S+/g)) {
        const start = at + found.index;
        const [sort, value] = narrowOf(found[0]) ?? ["word" as const, found[0]];
        parts.push({ sort, value, start, end: start + found[0].length, wrong: null });
      }
    }
    at += run.length + 1;
  }
  return parts.map((part, n) => ({
    ...part,
    wrong: part.wrong ?? wrongWith(part, n, parts, known),
  }));
}

function wrongWith(part: Part, n: number, all: readonly Part[], known: Known): Wrong | null {
  const { sort, value } = part;
  if (sort === "kind") return known.kinds.includes(value.toLowerCase()) ? null : "kind";
  if (sort === "word" || sort === "phrase") return null;
  // Only the last of a name counts.
  if (all.slice(n + 1).some(later => later.sort === sort)) return "repeated";
  if (sort === "from") {
    const codes = known.agencies.map(code => code.toUpperCase());
    return codes.length === 0 || codes.includes(value.toUpperCase()) ? null : "agency";
  }
  const time = timeOf(value);
  if (time === null) return "time";
  const after = all.findLast(other => other.sort === "after");
  const from = sort === "before" && after ? timeOf(after.value) : null;
  return from !== null && from >= time ? "empty-span" : null;
}

/** What keeps the node from answering at all. */
export function faultOf(query: string, parts: readonly Part[]): "long" | "words" | null {
  if ([...query].length > CHARS_MAX) return "long";
  const words = parts.filter(({ sort }) => sort === "word" || sort === "phrase");
  const n = words.reduce((sum, { value }) => sum + value.split(/\s+/).filter(Boolean).length, 0);
  return n > WORDS_MAX ? "words" : null;
}

/** Whether the node can read a query: the box says why it cannot. */
export function askable(query: string): boolean {
  const parts = partsOf(query, { kinds: [], agencies: [] });
  const times = parts.filter(({ sort }) => sort === "after" || sort === "before");
  return faultOf(query, parts) === null && times.every(({ value }) => timeOf(value) !== null);
}

/** What is asked of the node: a name at the end that has no value yet narrows nothing. */
export const askedOf = (query: string): string =>
  query.replace(/(^|\s)(kind|from|after|before):$/i, "$1");

/** The query without one part. */
export const without = (query: string, part: Part): string =>
  `${query.slice(0, part.start)} ${query.slice(part.end)}`.replace(/\s+/g, " ").trimStart();

/** The query narrowed by a name to a value, or no more by it. */
export function narrowedBy(query: string, name: Narrow, value: string, known: Known): string {
  const rest = partsOf(query, known)
    .filter(({ sort }) => sort === name)
    .reverse()
    .reduce(without, query)
    .trim();
  if (value === "") return rest;
  return `${rest === "" ? "" : `${rest} `}${name}:${value} `;
}

/** What a query is narrowed to by a name. */
export const narrowOfQuery = (parts: readonly Part[], name: Narrow): string =>
  parts.findLast(({ sort }) => sort === name)?.value ?? "";

export interface Suggestion {
  /** What stands in the place of the word at the caret. */
  text: string;
  sort: Narrow;
  value: string;
}

/** LIMIT: suggestions shown at once. */
const SUGGESTED_MAX = 8;

/** What the word at the caret may go on to be: a name, or a value of one. */
export function suggestions(
  query: string,
  caret: number,
  known: Known,
  times: readonly string[],
): Suggestion[] {
  const start = wordStart(query, caret);
  const typed = query.slice(start, caret).toLowerCase();
  if ((query.slice(0, start).split('"').length - 1) % 2 === 1) return [];
  const values: Record<Narrow, readonly string[]> = {
    kind: known.kinds,
    from: known.agencies,
    after: times,
    before: times,
  };
  const found = NARROWS.flatMap(sort => {
    const name = `${sort}:`;
    if (typed.startsWith(name)) {
      return values[sort].map(value => ({ text: `${name}${value}`, sort, value }));
    }
    return typed.length > 1 && name.startsWith(typed) ? [{ text: name, sort, value: "" }] : [];
  });
  return found
    .filter(({ text }) => text.toLowerCase().startsWith(typed) && text.toLowerCase() !== typed)
    .slice(0, SUGGESTED_MAX);
}

export const wordStart = (query: string, caret: number): number =>
  Math.max(query.lastIndexOf(" ", caret - 1), query.lastIndexOf('"', caret - 1)) + 1;

/** Puts a suggestion in the place of the word at the caret. */
export function taken(
  query: string,
  caret: number,
  text: string,
): { query: string; caret: number } {
  const start = wordStart(query, caret);
  const end = query.slice(caret).search(/\s|$/) + caret;
  const put = text.endsWith(":") ? text : `${text} `;
  return {
    query: `${query.slice(0, start)}${put}${query.slice(end).trimStart()}`,
    caret: start + put.length,
  };
}
