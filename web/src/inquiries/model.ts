// Inquiries as the node answers them, and what the page makes of them.

import type { Rendition } from "../api/records";
import { bodyOf } from "../api/records";

export interface InquiryBody {
  subject?: string;
  subject_kind?: string;
  instant?: string;
  reason?: string;
  opened_at?: string;
  opened_by?: string | null;
}

export interface Seen {
  at: string;
  row: { leaf: number; row: number };
}

export interface Acted {
  at: string;
  entry: string;
  sequence: number;
  kind: string;
}

export interface Withheld {
  by: string;
  because: string[];
}

export interface OfPerson {
  person: string;
  agency: string;
  seats: string[];
  available: boolean;
  grounds: string[];
  layers: number;
  withheld: Withheld | null;
  sent: Seen | null;
  listed: Seen | null;
  opened: Seen | null;
  denied: Seen | null;
  acknowledged: Acted | null;
}

export interface OfAgency {
  agency: string;
  available: boolean;
  grounds: string[];
  withheld: Withheld | null;
  acknowledged: Acted | null;
}

export interface Findings {
  inquiry: string;
  subject: string;
  kind: string;
  instant: string;
  size: number;
  layers: number;
  people: OfPerson[];
  agencies: OfAgency[];
  entries: Acted[];
  reads: { at: string; person: string | null; kind: string }[];
}

export interface Inquiry {
  id: string;
  rendition: Rendition;
  body: InquiryBody;
}

/** An inquiry of a record; null when its base layer is not there. */
export function inquiryOf(rendition: Rendition): Inquiry | null {
  const base = rendition.layers[0];
  if (!base) return null;
  return { id: rendition.id, rendition, body: bodyOf<InquiryBody>(base) };
}

export interface Summary {
  people: number;
  available: number;
  sent: number;
  opened: number;
  acknowledged: number;
}

/** How many of the people knew, in the four ways that count. */
export function summaryOf(findings: Findings): Summary {
  const count = (is: (person: OfPerson) => unknown): number => findings.people.filter(is).length;
  return {
    people: findings.people.length,
    available: count(person => person.available),
    sent: count(person => person.sent ?? person.listed),
    opened: count(person => person.opened),
    acknowledged: count(person => person.acknowledged),
  };
}

export type Happening =
  | { at: string; is: "entry"; kind: string }
  | { at: string; is: "seen"; how: "sent" | "listed" | "opened" | "denied"; person: string };

/** What happened to the record up to the instant, oldest first. */
export function timelineOf(findings: Findings): Happening[] {
  const seen = findings.people.flatMap(person =>
    (["sent", "listed", "opened", "denied"] as const).flatMap(how => {
      const found = person[how];
      return found ? [{ at: found.at, is: "seen" as const, how, person: person.person }] : [];
    }),
  );
  const entries = findings.entries.map(({ at, kind }) => ({ at, is: "entry" as const, kind }));
  return [...entries, ...seen].sort((a, b) => a.at.localeCompare(b.at));
}

/** Those who knew most first: acknowledged, opened, sent, could read, could not. */
export function ranked(people: readonly OfPerson[]): OfPerson[] {
  const rank = (person: OfPerson): number =>
    person.acknowledged ? 0 : person.opened ? 1 : (person.sent ?? person.listed) ? 2 : 3;
  const last = (person: OfPerson): number => (person.available ? 0 : 1);
  return [...people].sort((a, b) => last(a) - last(b) || rank(a) - rank(b));
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a text is the id of a record. */
export const isId = (text: string): boolean => ID.test(text.trim());

/** A field of a form for date and time, read as UTC; null when it is none. */
export function instantOf(field: string): string | null {
  const form = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?$/;
  if (!form.test(field)) return null;
  const ms = Date.parse(`${field}Z`);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

/** A time as such a field shows it, to the second. */
export const fieldOf = (ms: number): string => new Date(ms).toISOString().slice(0, 19);
