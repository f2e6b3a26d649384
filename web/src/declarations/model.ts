// What a declaration is to a reader: its clock, its duties, and to its authors what was refused.

import {
  bodyOf,
  type DeclarationBody,
  type Duty,
  type Refused,
  type Rendition,
} from "../api/records";
import { parseTime } from "../kernel/dtg";
import type { Label } from "../labels/label";
import type { Status } from "../ui/status";

export interface Declaration {
  rendition: Rendition;
  id: string;
  agency: string;
  label: Label;
  mark: string;
  body: Partial<DeclarationBody>;
  duties: readonly Duty[];
  /** Duties that no clause lets through; empty to all but those who declared. */
  refused: readonly Refused[];
  declaredAt: number | null;
  endedAt: number | null;
}

/** Reads a rendition; null for one without a layer. */
export function declarationOf(rendition: Rendition): Declaration | null {
  const base = rendition.layers[0];
  if (!base) return null;
  const body = bodyOf<DeclarationBody>(base);
  const own = rendition.layers.map(layer => bodyOf<DeclarationBody>(layer).refused ?? []);
  return {
    rendition,
    id: rendition.id,
    agency: rendition.agency,
    label: base.label,
    mark: base.mark,
    body,
    duties: body.duties ?? [],
    refused: own.flat(),
    declaredAt: parseTime(body.declared_at),
    endedAt: parseTime(body.ended_at),
  };
}

export const isOn = (one: Declaration): boolean => one.rendition.state === "declared";

/** How long it has been on, or was, in milliseconds; never below 0. */
export function elapsedMs(one: Declaration, now: number): number {
  return Math.max(0, (one.endedAt ?? now) - (one.declaredAt ?? now));
}

/** Hours, minutes and seconds, such as `1:02:03`. */
export function clockWords(ms: number): string {
  const s = Math.floor(ms / 1000);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

export type DutyWord = "done" | "waiting" | "refused";

/** How a duty stands: done, waiting for a person, or refused. */
export function standing(duty: Duty): { status: Status; word: DutyWord } {
  const waits = duty.duty === "fill" && duty.person === null;
  return waits ? { status: "caution", word: "waiting" } : { status: "normal", word: "done" };
}

/** Duties in rows: those of one kind that were done for agencies by one entry stand together. */
export function grouped(duties: readonly Duty[]): Duty[][] {
  const rows: Duty[][] = [];
  for (const duty of duties) {
    const row = rows.find(
      ([first]) => first?.duty === duty.duty && duty.duty !== "fill" && first.entry === duty.entry,
    );
    if (row) row.push(duty);
    else rows.push([duty]);
  }
  return rows;
}

/** The state of the whole: what was refused is worse than what waits. */
export function stateOf(one: Declaration): { status: Status; word: "declared" | "ended" } {
  if (!isOn(one)) return { status: "off", word: "ended" };
  if (one.refused.length > 0) return { status: "serious", word: "declared" };
  const waits = one.duties.some(duty => standing(duty).word === "waiting");
  return { status: waits ? "caution" : "normal", word: "declared" };
}

/** What is on first, then the newest. */
export function ordered(all: readonly Declaration[]): Declaration[] {
  const key = (one: Declaration): number => (isOn(one) ? 0 : 1);
  return [...all].sort((a, b) => key(a) - key(b) || (b.declaredAt ?? 0) - (a.declaredAt ?? 0));
}
