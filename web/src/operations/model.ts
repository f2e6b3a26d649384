// What an operation is to a reader: agencies, roles, and a log with the label of each line.

import { placeOf } from "../alerts/draft";
import { bodyOf, type Note, type OperationBody, type Rendition } from "../api/records";
import { parseTime } from "../kernel/dtg";
import type { Label } from "../labels/label";

/** A line of the log with the label that it lies under. */
export interface Line extends Note {
  label: Label;
  mark: string;
}

export interface Operation {
  rendition: Rendition;
  id: string;
  agency: string;
  label: Label;
  mark: string;
  body: Partial<OperationBody>;
  /** Newest first. */
  log: readonly Line[];
  openedAt: number | null;
}

/** Reads a rendition; null for one without a layer. */
export function operationOf(rendition: Rendition): Operation | null {
  const base = rendition.layers[0];
  if (!base) return null;
  const body = bodyOf<OperationBody>(base);
  const log = rendition.layers.flatMap(({ label, mark, ...layer }) =>
    (bodyOf<OperationBody>({ ...layer, label, mark }).notes ?? []).map(note => {
      return { ...note, label, mark };
    }),
  );
  log.sort((a, b) => (a.at < b.at ? 1 : -1));
  return {
    rendition,
    id: rendition.id,
    agency: rendition.agency,
    label: base.label,
    mark: base.mark,
    body,
    log,
    openedAt: parseTime(body.opened_at),
  };
}

export const isOpen = (one: Operation): boolean => one.rendition.state === "open";

/** What is open first, then the newest. */
export function ordered(all: readonly Operation[]): Operation[] {
  const key = (one: Operation): number => (isOpen(one) ? 0 : 1);
  return [...all].sort((a, b) => key(a) - key(b) || (b.openedAt ?? 0) - (a.openedAt ?? 0));
}

/** The lines of a text that say something. */
export const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map(line => line.trim())
    .filter(line => line !== "");

/** What is typed of a course. */
export interface Course {
  title: string;
  phase: string;
  place: string;
  /** One a line. */
  objectives: string;
}

/** The command: all that was typed for a new operation, what differs for one that is open. */
export function courseOf(before: Operation | null, typed: Course): Record<string, unknown> {
  const all = {
    title: typed.title.trim(),
    phase: typed.phase.trim() || undefined,
    place: placeOf(typed.place) ?? undefined,
    objectives: linesOf(typed.objectives),
  };
  if (!before) return all;
  const { title, phase, objectives = [] } = before.body;
  const place = before.rendition.place ?? undefined;
  const now = { title, phase, place, objectives };
  const differs = ([name, value]: [string, unknown]): boolean =>
    JSON.stringify(value) !== JSON.stringify(now[name as keyof typeof now]);
  return Object.fromEntries(Object.entries(all).filter(differs));
}
