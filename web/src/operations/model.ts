// What an operation is to a reader: agencies, roles, and a log with the label of each line.

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
