// What a record says, in the order of reading, whatever kind it is: for a look before it is opened.

import type { Layer, Rendition } from "../api/records";
import { bodyOf } from "../api/records";
import type { Label } from "../labels/label";

export interface Said {
  id: string;
  label: Label;
  mark: string;
  title: string | null;
  texts: string[];
}

/** Fields that hold words for people, in the order of reading. */
const TITLES = ["title", "name", "seat", "purpose"];
const TEXTS = ["text", "description", "summary", "notes", "reason", "legal_basis"];
/** Lists of texts, or of things that have one. */
const LISTS = ["portions", "lines", "objectives", "notes"];
/** LIMIT: texts shown of one layer, and characters of one. */
const TEXTS_MAX = 8;
const CHARS_MAX = 600;

const wordsIn = (value: unknown): string[] => {
  if (typeof value === "string") return value.trim() === "" ? [] : [value];
  if (Array.isArray(value)) return value.flatMap(wordsIn);
  if (typeof value === "object" && value !== null) {
    return wordsIn((value as Record<string, unknown>)["text"]);
  }
  return [];
};

/** A title, from wherever a kind keeps it. */
export function titleIn(layer: Layer): string | null {
  const body = bodyOf<Record<string, unknown>>(layer);
  const agreement = body["agreement"] as Record<string, unknown> | undefined;
  for (const of of [body, agreement ?? {}]) {
    for (const name of TITLES) {
      const value = of[name];
      // A seat of a handover is an id, not a name.
      if (typeof value === "string" && value !== "" && !/^[0-9a-f-]{36}$/.test(value)) return value;
    }
  }
  return null;
}

/** What each layer says. */
export function saidIn(rendition: Rendition): Said[] {
  return rendition.layers.map(layer => {
    const body = bodyOf<Record<string, unknown>>(layer);
    const agreement = (body["agreement"] ?? {}) as Record<string, unknown>;
    const texts = [
      ...TEXTS.flatMap(name => wordsIn(body[name] ?? agreement[name])),
      ...LISTS.filter(name => Array.isArray(body[name])).flatMap(name => wordsIn(body[name])),
    ];
    const cut = (text: string): string =>
      text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX)}…` : text;
    return {
      id: layer.id,
      label: layer.label,
      mark: layer.mark,
      title: titleIn(layer),
      texts: [...new Set(texts)].slice(0, TEXTS_MAX).map(cut),
    };
  });
}
