// Reports as pages see them: one envelope, lines under marks of their own.

import { placeOf } from "../alerts/draft";
import { bodyOf, type Rendition } from "../api/records";
import type { Label, Markings } from "../labels/label";
import type { Status } from "../ui/status";

export const FORMS = ["methane", "ethane", "sitrep", "salute", "intelligence"] as const;
export type FormName = (typeof FORMS)[number];

const ETHANE = [
  "exact_location",
  "type_of_incident",
  "hazards",
  "access",
  "number_of_casualties",
  "services_present",
  "services_required",
] as const;

/** The lines of each form, in the order in which they are said. */
export const LINES = {
  methane: ["major_incident", ...ETHANE],
  ethane: ETHANE,
  sitrep: [
    "headline",
    "situation",
    "impacts",
    "actions",
    "forecast",
    "intelligence",
    "decisions",
    "resources",
    "assessment",
    "next_report",
  ],
  salute: ["size", "activity", "location", "unit", "time", "equipment", "observer", "assessment"],
  intelligence: ["summary", "source_description", "information", "comment", "assessment", "gaps"],
} as const satisfies Record<FormName, readonly string[]>;

export type LineName = (typeof LINES)[FormName][number];

export interface Grade {
  source: string;
  information: number;
}

export interface Said {
  line: LineName;
  text: string;
  grade: Grade | null;
}

interface Cited {
  agreement: string;
  clause: string;
  version: number;
}

/** A file as its portion names it. */
export interface Attachment {
  digest: string;
  name: string;
  media: string;
  bytes: number;
  at: string;
}

/** The body of a layer; a field is absent when it was erased or stands in another layer. */
interface ReportBody {
  form: FormName;
  title: string;
  portions: Said[];
  version: number;
  version_at: string;
  /** Why the version that stands took the place of the one before. */
  reason: string | null;
  versions: { version: number; at: string; portions: Said[]; reason: string | null }[];
  submitted_at: string;
  releases: { agency: string; at: string }[];
  withdrawals: { agency: string; reason: string; at: string }[];
  authorities: { to: string; clauses: Cited[]; at: string }[];
  asked: string;
  answer: string | null;
  cites: string[];
  attachments: Attachment[];
  downgrades: Proposed[];
}

/** What is proposed to be said under a lower label, as it is kept. */
interface Proposed {
  downgrade: string;
  /** The layer from which the words are taken. */
  from: string;
  markings: Markings;
  portions: Said[];
  reason: string;
  by: string | null;
  at: string;
  state: "proposed" | "countersigned" | "declined";
  decided_by?: string | null;
  decided_at?: string;
  because?: string;
}

/** A proposal under the mark of what it would lower. */
export interface Downgrade extends Proposed {
  label: Label;
  mark: string;
}

/** One line under its own mark. */
export interface Portion extends Said {
  label: Label;
  mark: string;
}

/** One file under its own mark. */
export interface Filed extends Attachment {
  label: Label;
  mark: string;
}

/** An earlier version of what stands under one label. */
export interface Version {
  label: Label;
  mark: string;
  version: number;
  at: string;
  reason: string | null;
  portions: Said[];
}

/** An agency to which it was released. */
export interface Released {
  agency: string;
  at: string;
  withdrawn: { at: string; reason: string } | null;
  clauses: Cited[];
}

export interface Report {
  rendition: Rendition;
  id: string;
  agency: string;
  label: Label;
  mark: string;
  body: Partial<ReportBody>;
  /** Whether it only asks for a report. */
  request: boolean;
  portions: Portion[];
  files: Filed[];
  versions: Version[];
  releases: Released[];
  /** Newest first. */
  downgrades: Downgrade[];
}

/** Reads a rendition; null for one without a layer. */
export function reportOf(rendition: Rendition): Report | null {
  const base = rendition.layers[0];
  if (!base) return null;
  const body = bodyOf<ReportBody>(base);
  const order: readonly string[] = body.form ? LINES[body.form] : [];
  const portions = rendition.layers.flatMap(layer =>
    (bodyOf<ReportBody>(layer).portions ?? []).map(said => ({
      ...said,
      label: layer.label,
      mark: layer.mark,
    })),
  );
  portions.sort((a, b) => order.indexOf(a.line) - order.indexOf(b.line));
  const files = rendition.layers.flatMap(layer =>
    (bodyOf<ReportBody>(layer).attachments ?? []).map(file => ({
      ...file,
      label: layer.label,
      mark: layer.mark,
    })),
  );
  const versions = rendition.layers.flatMap(layer =>
    (bodyOf<ReportBody>(layer).versions ?? []).map(version => ({
      ...version,
      label: layer.label,
      mark: layer.mark,
    })),
  );
  const downgrades = rendition.layers.flatMap(layer =>
    (bodyOf<ReportBody>(layer).downgrades ?? []).map(proposed => ({
      ...proposed,
      label: layer.label,
      mark: layer.mark,
    })),
  );
  return {
    rendition,
    id: rendition.id,
    agency: rendition.agency,
    label: base.label,
    mark: base.mark,
    body,
    request: body.asked !== undefined,
    portions,
    files,
    versions: versions.sort((a, b) => b.at.localeCompare(a.at)),
    releases: releasesOf(rendition),
    downgrades: downgrades.sort((a, b) => b.at.localeCompare(a.at)),
  };
}

/** A label of a report above its own, with what stands under it. */
export interface Higher {
  /** The id of the layer. */
  id: string;
  label: Label;
  mark: string;
  portions: Said[];
}

/** The labels above that of the report from which something could be said lower. */
export function highersOf(rendition: Rendition): Higher[] {
  return rendition.layers.slice(1).flatMap(({ id, label, mark, ...layer }) => {
    const { portions } = bodyOf<ReportBody>({ id, label, mark, ...layer });
    return portions ? [{ id, label, mark, portions }] : [];
  });
}

/** The newest release to each agency, and whether it was withdrawn after that. */
function releasesOf(rendition: Rendition): Released[] {
  const bodies = rendition.layers.map(layer => bodyOf<ReportBody>(layer));
  const found = new Map<string, Released>();
  for (const { agency, at } of bodies.flatMap(body => body.releases ?? [])) {
    found.set(agency, { agency, at, withdrawn: null, clauses: [] });
  }
  for (const { agency, at, reason } of bodies.flatMap(body => body.withdrawals ?? [])) {
    const release = found.get(agency);
    if (release && release.at <= at) release.withdrawn = { at, reason };
  }
  for (const { to, clauses } of bodies.flatMap(body => body.authorities ?? [])) {
    const release = found.get(to);
    if (release) release.clauses = clauses;
  }
  return [...found.values()];
}

export type ReportWord =
  "submitted" | "late" | "requested" | "overdue" | "answered" | "answered_late" | "unknown";

const STATES: Record<Exclude<ReportWord, "unknown">, Status> = {
  overdue: "serious",
  late: "caution",
  answered_late: "caution",
  requested: "standby",
  submitted: "normal",
  answered: "normal",
};

/** How a report, or the request for one, stands. */
export function stateOf(report: Report): { status: Status; word: ReportWord } {
  const state = report.rendition.state ?? "";
  const word = (Object.keys(STATES) as (keyof typeof STATES)[]).find(known => known === state);
  return word ? { status: STATES[word], word } : { status: "off", word: "unknown" };
}

/** A line as it is typed. */
export interface TypedLine {
  text: string;
  /** Null for the label of the report. */
  markings: Markings | null;
  marking: boolean;
  source: string;
  information: string;
}

/** A file that was uploaded, with what the node answered. */
export interface Uploaded {
  name: string;
  bytes: number;
  attachment: string;
  /** Null for the label of the report. */
  markings: Markings | null;
  marking: boolean;
}

/** Files of one report: what one act may attach. */
export const FILES_MAX = 8;

/** A number of bytes as people read it. */
export function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const mib = bytes / 1024 / 1024;
  return mib < 1 ? `${Math.round(bytes / 1024)} KiB` : `${mib.toFixed(1)} MiB`;
}

/** What was typed; kept in memory while the page is open, never on disk. */
export interface Draft {
  form: FormName;
  markings: Markings | null;
  title: string;
  /** Latitude and longitude as typed; empty for none. */
  place: string;
  lines: Partial<Record<LineName, TypedLine>>;
  recipients: string[];
  request: string | null;
  files: Uploaded[];
  /** Records that it rests on. */
  cites: string[];
}

export const emptyLine = (): TypedLine => ({
  text: "",
  markings: null,
  marking: false,
  source: "",
  information: "",
});

export const emptyDraft = (): Draft => ({
  form: "methane",
  markings: null,
  title: "",
  place: "",
  lines: {},
  recipients: [],
  request: null,
  files: [],
  cites: [],
});

/** The lines of the form in which something was typed, in order. */
export function typedLines(draft: Draft): [LineName, TypedLine][] {
  const names: readonly LineName[] = LINES[draft.form];
  return names.flatMap(name => {
    const line = draft.lines[name];
    return line && line.text.trim() !== "" ? [[name, line] as [LineName, TypedLine]] : [];
  });
}

/** The command; the node looks at it and decides. */
export function commandOf(draft: Draft): Record<string, unknown> {
  return {
    form: draft.form,
    markings: draft.markings,
    title: draft.title.trim(),
    portions: typedLines(draft).map(([line, { text, markings, source, information }]) => ({
      line,
      text: text.trim(),
      markings,
      grade: source && information ? { source, information: Number(information) } : null,
    })),
    recipients: draft.recipients,
    place: placeOf(draft.place),
    request: draft.request,
    attachments: draft.files.map(({ attachment, markings }) => ({ attachment, markings })),
    cites: draft.cites,
  };
}

/** What is asked of the preview: labels and recipients, no text. */
export function questionOf(draft: Draft): Record<string, unknown> | null {
  const lines = typedLines(draft);
  if (!draft.markings || lines.length === 0 || draft.recipients.length === 0) return null;
  return {
    markings: draft.markings,
    portions: [...lines.map(([, line]) => line.markings), ...draft.files.map(f => f.markings)],
    recipients: draft.recipients,
  };
}

/** What the desks of one recipient would read. */
export interface Seen {
  agency: string;
  flows: boolean;
  why: string | null;
  clauses: Cited[];
  portions: boolean[];
}
