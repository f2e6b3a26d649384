// Faults: what a refusal of the node means to a person, and to which field of a form it belongs.

import { t } from "../text";
import type { Problem } from "./records";

/** Why something was not done. */
export interface Fault {
  /** The slug of the problem, or `network`, `timeout`, `unreadable` for those of the way there. */
  slug: string;
  /** The HTTP status; 0 when there was no answer. */
  status: number;
  /** What the node said, as it said it; it never tells of what the reader may not know. */
  detail: string;
}

/** Reads the body of a refusal; anything else than a problem is `unreadable`. */
export function faultOf(status: number, body: unknown): Fault {
  if (isProblem(body)) {
    const slug = body.type.split("#")[1] ?? body.title;
    return { slug, status, detail: body.detail };
  }
  return { slug: "unreadable", status, detail: "" };
}

function isProblem(body: unknown): body is Problem {
  if (typeof body !== "object" || body === null) return false;
  const fields = body as Record<string, unknown>;
  return ["type", "title", "detail"].every(name => typeof fields[name] === "string");
}

/** A fault of the way to the node. */
export function faultOfError(error: unknown): Fault {
  const name = error instanceof Error ? error.name : "";
  const slug = name === "TimeoutError" || name === "AbortError" ? "timeout" : "network";
  return { slug, status: 0, detail: "" };
}

/** What a person is told: the meaning, then what the node said. */
export function wordsOf(fault: Fault): string {
  if (fault.slug === "network") return t.fault.network;
  if (fault.slug === "timeout") return t.fault.timeout;
  const byKind = fault.status === 403 ? t.fault.slug["denied"] : undefined;
  const meaning = t.fault.slug[fault.slug] ?? byKind ?? "";
  const said = fault.detail ? t.fault.because(fault.detail) : "";
  return [meaning, said].filter(Boolean).join(" ") || t.fault.unreadable;
}

/** Whether sending the same once more, with the same key, is right. */
export const worthRepeating = (fault: Fault): boolean =>
  fault.status === 0 || fault.status === 503 || fault.status === 429;

/** The field of the form for raising an alert that a fault belongs to; null for the whole form. */
export function raiseFieldOf(fault: Fault): string | null {
  const fields: Record<string, string> = {
    "invalid-label": "label",
    marking: "label",
    label: "label",
    "no-clause": "audience",
    "audience-too-large": "audience",
    "audience-repeats": "audience",
    "unknown-agency": "audience",
    "too-many-options": "options",
    "ladder-order": "ladder",
    "label-not-higher": "higher-0",
  };
  const named = fields[fault.slug];
  if (named) return named;
  if (fault.slug !== "invalid-command") return null;
  const words: [RegExp, string][] = [
    [/latitude|longitude|place/, "place"],
    [/ladder/, "ladder"],
    [/option/, "options"],
    [/audience/, "audience"],
    [/marking|level|scheme/, "label"],
    [/precedence/, "precedence"],
    [/title/, "title"],
  ];
  return words.find(([word]) => word.test(fault.detail))?.[1] ?? null;
}
