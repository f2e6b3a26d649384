// Records as the server gives them: the envelope is generated, the bodies are typed here by hand.

import type { Label, Markings } from "../labels/label";
import type { components } from "./types";

type Schemas = components["schemas"];

/** One layer of a record, with its label and its mark. */
export interface Layer extends Omit<Schemas["Layer"], "label"> {
  label: Label;
}

/** A record as this reader may see it. */
export interface Rendition extends Omit<Schemas["Rendition"], "layers"> {
  layers: Layer[];
}

/** A page of records. */
export interface Page {
  items: Rendition[];
  next: string | null;
  total: number;
}

export type Accepted = Schemas["Accepted"];
export type Problem = Schemas["Problem"];

/** Kinds of record that this client keeps. */
export const KINDS = [
  "alert",
  "report",
  "agreement",
  "person",
  "agency",
  "declaration",
  "operation",
  "plan",
  "inquiry",
  "handover",
  "watch",
  "entity",
  "erasure",
  "webhook",
  "drawing",
  "query",
] as const;
export type Kind = (typeof KINDS)[number];

/** Who is signed in. */
export interface Me {
  person: string | null;
  name: string;
  agency: string;
  agency_name: string;
  seat: string | null;
  seat_name: string | null;
  roles: string[];
  clearance: { schemes: Record<string, { level: number; compartments: string[] }> };
  /** `file` means demonstration, and every page says so. */
  key_provider: string;
  /** The time of the play. */
  at: string;
}

export type Precedence = "ROUTINE" | "PRIORITY" | "IMMEDIATE" | "FLASH";
export type Rung = "deputy" | "head" | "centre";

export interface Acknowledgement {
  agency: string;
  person: string;
  seat: string | null;
  option: number;
  note: string | null;
  complete: boolean;
  at: string;
}

export interface Escalation {
  rung: Rung;
  silent: string[];
  called: string[];
  at: string;
}

/** The body of an alert; a field is absent when it was erased or stands in another layer. */
export interface AlertBody {
  precedence?: Precedence;
  title?: string;
  text?: string;
  audience?: string[];
  options?: string[];
  raised_at?: string;
  ladder_s?: number[];
  acknowledgements?: Acknowledgement[];
  escalations?: Escalation[];
  cancelled?: string;
}

/** A duty of a declaration that was done, or waits for a person. */
export type Duty = (
  | { duty: "alert" | "join"; agency: string }
  | { duty: "fill"; role: string; seat: string; person: string | null }
) & { at: string; entry: string };

/** A duty that was refused, with the slug of its reason. */
export interface Refused {
  duty:
    | { duty: "alert" | "join"; agency: string }
    | { duty: "fill"; role: string; seat: string; person: string | null };
  reason: string;
}

/** The body of a declaration; `plan`, `earlier` and `refused` stand in a layer of its authors. */
export interface DeclarationBody {
  incident?: string;
  title?: string;
  text?: string | null;
  declared_at?: string;
  by?: string | null;
  alerts?: string[];
  duties?: Duty[];
  ended?: string;
  ended_at?: string;
  plan?: string;
  earlier?: string;
  refused?: Refused[];
}

export interface Role {
  name: string;
  seat: string | null;
  person: string | null;
}

export interface Note {
  text: string;
  agency: string;
  person: string | null;
  seat: string | null;
  at: string;
}

export interface OperationBody {
  title?: string;
  incident?: string | null;
  declaration?: string | null;
  phase?: string;
  objectives?: string[];
  agencies?: string[];
  roles?: Role[];
  notes?: Note[];
  opened_at?: string;
  closed?: string;
}

export interface PlanBody {
  name?: string;
  incident?: string;
  /** The label of what is declared by it. */
  incident_markings?: Markings;
  precedence?: Precedence;
  options?: string[];
  ladder_s?: number[];
  made_at?: string;
  proposed_by?: string | null;
  approved_by?: string | null;
  withdrawn?: string;
  text?: string;
  obliged?: { agency: string; agreement: string | null }[];
  roles?: { name: string; seat: string }[];
  objectives?: string[];
}

export interface Span {
  starts_at: string;
  ends_at: string;
}

export interface Ceiling {
  level: number;
  compartments?: string[];
}

export interface Clause {
  id: string;
  version: number;
  grantors: string[];
  grantees: { agency: string; roles: "any" | { only: string[] } }[];
  effect: "permit" | "forbid";
  actions: string[];
  discloses: "content" | "existence";
  limits: { ceilings: Record<string, Ceiling>; caveats_excluded?: string[] };
  purposes: string[];
  training?: string[];
  force: Span;
}

export type Outcome = "reject" | "needs_human" | { map: { level: number; add?: string[] } };

export interface Equivalence {
  from: string;
  to: string;
  rows: { level: number; required?: string[]; outcome: Outcome }[];
}

export interface Agreement {
  id: string;
  version: number;
  title: string;
  parties: string[];
  legal_basis: string;
  purposes: string[];
  force: Span;
  clauses: Clause[];
  equivalences?: Equivalence[];
  retention_days_max: number | null;
  onward: "forbidden" | "with_consent" | "among_parties";
}

export interface AgreementBody {
  digest?: string;
  agreement?: Agreement;
  signatures?: { agency: string; person: string; complete: boolean; at: string }[];
  suspensions?: { agency: string; reason: string; at: string }[];
  resumptions?: { agency: string; person: string; complete: boolean; at: string }[];
}

/** A person, or a seat when it has the field `seat`. */
export interface PersonBody {
  name?: string;
  seat?: string;
  roles?: string[];
  training?: Record<string, string>;
  cleared_until?: string | null;
  deputies?: string[];
  holder?: string | null;
}

export interface AgencyBody {
  name?: string;
  code?: string;
  parent?: string | null;
}

/** The body of one layer, typed by the kind that it belongs to. */
export function bodyOf<T>(layer: Layer | undefined): Partial<T> {
  return (layer?.body ?? {}) as Partial<T>;
}
