// The form for raising an alert: what was typed, what is wrong with it, and the command it becomes.

import { parsePlace, type Position } from "../kernel/coordinates";
import type { Precedence } from "../api/records";
import type { Wrong } from "../ui/wrong";
import type { Markings } from "../labels/label";
import { t } from "../text";

export const OPTIONS_MAX = 8;
export const OPTION_BYTES_MAX = 40;
export const TITLE_BYTES_MAX = 160;
export const TEXT_BYTES_MAX = 8000;

/** What was typed; kept in memory while the page is open, never on disk. */
export interface Draft {
  markings: Markings | null;
  precedence: Precedence | null;
  title: string;
  text: string;
  audience: string[];
  options: string;
  ladder: [string, string, string];
  place: string;
  higher: { markings: Markings | null; text: string }[];
}

export function emptyDraft(): Draft {
  return {
    markings: null,
    precedence: null,
    title: "",
    text: "",
    audience: [],
    options: t.raise.optionsDefault,
    ladder: ["60", "120", "180"],
    place: "",
    higher: [],
  };
}

/** Bytes of a text as the node counts them. */
export const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** The answers to choose from, one a line. */
export const optionsOf = (text: string): string[] =>
  text
    .split("\n")
    .map(line => line.trim())
    .filter(line => line !== "");

/** Reads degrees or a grid reference; null for another form or outside the earth. */
export function placeOf(text: string): Position | null {
  const found = parsePlace(text);
  return found && { lat: found.lat, lon: found.lon };
}

/** A place as it is typed, to about ten metres. */
export const writePlace = ({ lat, lon }: Position): string =>
  `${lat.toFixed(4)}, ${lon.toFixed(4)}`;

/** What keeps the form from being sent; the node looks again and decides. */
export function wrongIn(draft: Draft): Wrong[] {
  const wrong: Wrong[] = [];
  const add = (field: string, text: string): void => void wrong.push({ field, text });
  if (!draft.markings) add("label", t.check.label);
  if (!draft.precedence) add("precedence", t.check.precedence);
  const title = bytesOf(draft.title.trim());
  if (title === 0) add("title", t.check.title);
  else if (title > TITLE_BYTES_MAX) add("title", t.check.titleLong(title - TITLE_BYTES_MAX));
  const text = bytesOf(draft.text.trim());
  if (text === 0) add("text", t.check.text);
  else if (text > TEXT_BYTES_MAX) add("text", t.check.textLong(text - TEXT_BYTES_MAX));
  draft.higher.forEach((part, n) => {
    if (!part.markings) add(`higher-${n}`, t.check.higherLabel(n + 1));
    if (part.text.trim() === "") add(`higher-${n}-text`, t.check.higherText(n + 1));
  });
  if (draft.audience.length === 0) add("audience", t.check.audience);
  const options = optionsOf(draft.options);
  if (options.length === 0) add("options", t.check.options);
  if (options.length > OPTIONS_MAX) add("options", t.check.optionsMany);
  const long = options.find(option => bytesOf(option) > OPTION_BYTES_MAX);
  if (long) add("options", t.check.optionLong(long));
  const [deputy = 0, head = 0, centre = 0] = draft.ladder.map(Number);
  const whole = [deputy, head, centre].every(Number.isInteger);
  if (!whole || deputy < 1 || deputy >= head || head >= centre) add("ladder", t.check.ladder);
  if (draft.place.trim() !== "" && !placeOf(draft.place)) add("place", t.check.place);
  return wrong;
}

/** The command; only for a draft with which nothing is wrong. */
export function commandOf(draft: Draft): Record<string, unknown> {
  return {
    markings: draft.markings,
    precedence: draft.precedence,
    title: draft.title.trim(),
    text: draft.text.trim(),
    audience: draft.audience,
    options: optionsOf(draft.options),
    place: placeOf(draft.place),
    ladder_s: draft.ladder.map(Number),
    higher: draft.higher.map(part => ({ markings: part.markings, text: part.text.trim() })),
  };
}
