// What an agreement is to a reader: its state, who has signed, what may be done next.

import { bodyOf, type Agreement, type AgreementBody, type Rendition } from "../api/records";
import { parseTime } from "../kernel/dtg";
import type { Label } from "../labels/label";
import type { Status } from "../ui/status";

export type AgreementWord = "proposed" | "in_force" | "suspended" | "ended" | "pending" | "unknown";

export interface Instrument {
  rendition: Rendition;
  id: string;
  label: Label;
  mark: string;
  body: Partial<AgreementBody>;
  /** Absent when it was erased. */
  text: Agreement | undefined;
}

/** Reads a rendition; null for one without a layer. */
export function instrumentOf(rendition: Rendition): Instrument | null {
  const base = rendition.layers[0];
  if (!base) return null;
  const body = bodyOf<AgreementBody>(base);
  const { label, mark } = base;
  return { rendition, id: rendition.id, label, mark, body, text: body.agreement };
}

/** How an agreement stands at a time of the play. */
export function stateOf(of: Instrument, now: number): { status: Status; word: AgreementWord } {
  const { state } = of.rendition;
  const ends = parseTime(of.text?.force.ends_at);
  const starts = parseTime(of.text?.force.starts_at);
  if (state === "suspended") return { status: "serious", word: "suspended" };
  if (ends !== null && ends <= now) return { status: "off", word: "ended" };
  if (state === "proposed") return { status: "standby", word: "proposed" };
  if (state !== "in_force") return { status: "standby", word: "unknown" };
  if (starts !== null && starts > now) return { status: "standby", word: "pending" };
  return { status: "normal", word: "in_force" };
}

/** Whether it was founded with the node: in force without a signature. */
export const isFounded = (of: Instrument): boolean =>
  of.rendition.state !== "proposed" && (of.body.signatures ?? []).length === 0;

/** The parties, each with its signature of this version. */
export function signatories(
  of: Instrument,
): { agency: string; at: string | null; person: string | null }[] {
  return (of.text?.parties ?? []).map(agency => {
    const signed = of.body.signatures?.find(signature => signature.agency === agency);
    return { agency, at: signed?.at ?? null, person: signed?.person ?? null };
  });
}

/** The parties that have consented to resume since the last suspension. */
export function resuming(of: Instrument): string[] {
  if (of.rendition.state !== "suspended") return [];
  const last = of.body.suspensions?.at(-1)?.at ?? "";
  const since = (of.body.resumptions ?? []).filter(one => one.at > last && !one.complete);
  return since.map(one => one.agency);
}

export type Deed = "sign" | "suspend" | "resume";

/** What the state leaves room for; whether this person may is the node's to say. */
export function deeds(of: Instrument, mine: string): Deed[] {
  if (!of.text?.parties.includes(mine)) return [];
  const { state } = of.rendition;
  const signed = of.body.signatures?.some(signature => signature.agency === mine) ?? false;
  if (state === "proposed") return signed ? [] : ["sign"];
  if (state === "suspended") return resuming(of).includes(mine) ? [] : ["resume"];
  return state === "in_force" ? ["suspend"] : [];
}

/** Something that happened to an agreement. */
export interface Happening {
  at: string;
  agency: string;
  person: string | null;
  what: "signed" | "suspended" | "resumed";
  reason: string | null;
  complete: boolean;
}

/** What happened, oldest first. */
export function happenings(of: Instrument): Happening[] {
  const { signatures = [], suspensions = [], resumptions = [] } = of.body;
  const all: Happening[] = [
    ...signatures.map(s => ({ ...s, what: "signed" as const, reason: null })),
    ...suspensions.map(s => ({
      ...s,
      what: "suspended" as const,
      person: null,
      complete: false,
    })),
    ...resumptions.map(s => ({ ...s, what: "resumed" as const, reason: null })),
  ];
  return all.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}
