// What a plan of declaration is to a reader, and what is typed until it becomes one.

import {
  bytesOf,
  OPTION_BYTES_MAX,
  OPTIONS_MAX,
  optionsOf,
  TITLE_BYTES_MAX,
} from "../alerts/draft";
import { bodyOf, type PlanBody, type Precedence, type Rendition } from "../api/records";
import type { Label, Markings } from "../labels/label";
import { t } from "../text";
import type { Status } from "../ui/status";
import type { Wrong } from "../ui/wrong";

export interface Plan {
  rendition: Rendition;
  id: string;
  agency: string;
  label: Label;
  mark: string;
  body: Partial<PlanBody>;
}

/** Reads a rendition; null for one without a layer. */
export function planOf(rendition: Rendition): Plan | null {
  const base = rendition.layers[0];
  if (!base) return null;
  const { id, agency } = rendition;
  const { label, mark } = base;
  return { rendition, id, agency, label, mark, body: bodyOf<PlanBody>(base) };
}

const byName = (a: Plan, b: Plan): number => (a.body.name ?? "").localeCompare(b.body.name ?? "");

/** The plans by which something can be declared now, by name. */
export function inForce(renditions: Iterable<Rendition>): Plan[] {
  return [...renditions]
    .filter(rendition => rendition.state === "in_force")
    .map(planOf)
    .filter(plan => plan !== null)
    .sort(byName);
}

export type PlanWord = "proposed" | "in_force" | "withdrawn" | "unknown";

const STATES: Record<Exclude<PlanWord, "unknown">, Status> = {
  proposed: "caution",
  in_force: "normal",
  withdrawn: "off",
};

/** How a plan stands. */
export function stateOf(of: Plan): { status: Status; word: PlanWord } {
  const known = Object.keys(STATES) as (keyof typeof STATES)[];
  const word = known.find(one => one === of.rendition.state);
  return word ? { status: STATES[word], word } : { status: "off", word: "unknown" };
}

/** What waits for its approval first, then what is in force, each by name. */
export function ordered(all: readonly Plan[]): Plan[] {
  const order: PlanWord[] = ["proposed", "in_force", "withdrawn", "unknown"];
  const rank = (one: Plan): number => order.indexOf(stateOf(one).word);
  return [...all].sort((a, b) => rank(a) - rank(b) || byName(a, b));
}

export type Deed = "approve" | "revise" | "withdraw";

/** What the state leaves room for; whether this person may is the node's to say. */
export function deeds(of: Plan, agency: string, person: string | null): Deed[] {
  if (of.agency !== agency) return [];
  const { word } = stateOf(of);
  if (word === "in_force") return ["revise", "withdraw"];
  if (word !== "proposed") return [];
  const own = of.body.proposed_by !== undefined && of.body.proposed_by === person;
  return own ? ["withdraw"] : ["approve", "withdraw"];
}

/** LIMIT: bytes of the name of a plan, and of the name of a role. */
const NAME_BYTES_MAX = 80;
const ROLE_BYTES_MAX = 60;
const TEXT_BYTES_MAX = 4000;
const OBJECTIVES_MAX = 16;

/** What was typed; kept in memory while the page is open, never on disk. */
export interface Draft {
  /** The plan that is revised; null for a new one. */
  plan: string | null;
  markings: Markings | null;
  name: string;
  incident: string;
  incidentMarkings: Markings | null;
  precedence: Precedence | null;
  text: string;
  options: string;
  ladder: [string, string, string];
  /** The agreement of each obliged agency; an empty one for one's own. */
  obliged: Record<string, string>;
  roles: { name: string; seat: string }[];
  objectives: string;
}

export const emptyDraft = (): Draft => ({
  plan: null,
  markings: null,
  name: "",
  incident: "",
  incidentMarkings: null,
  precedence: null,
  text: "",
  options: t.raise.optionsDefault,
  ladder: ["60", "120", "180"],
  obliged: {},
  roles: [],
  objectives: "",
});

/** What is typed when a plan is revised: all of it, for the new text takes the place of the old. */
export function draftOf({ id, label, body }: Plan): Draft {
  const [deputy = 60, head = 120, centre = 180] = body.ladder_s ?? [];
  return {
    plan: id,
    markings: label.markings,
    name: body.name ?? "",
    incident: body.incident ?? "",
    incidentMarkings: body.incident_markings ?? null,
    precedence: body.precedence ?? null,
    text: body.text ?? "",
    options: (body.options ?? []).join("\n"),
    ladder: [String(deputy), String(head), String(centre)],
    obliged: Object.fromEntries(
      (body.obliged ?? []).map(({ agency, agreement }) => [agency, agreement ?? ""]),
    ),
    roles: (body.roles ?? []).map(({ name, seat }) => ({ name, seat })),
    objectives: (body.objectives ?? []).join("\n"),
  };
}

/** The lines of a text that say something. */
const linesOf = (text: string): string[] => optionsOf(text);

/** What keeps the plan from being sent; the node looks again and decides. */
export function wrongIn(draft: Draft, own: string): Wrong[] {
  const wrong: Wrong[] = [];
  const add = (field: string, text: string): void => void wrong.push({ field, text });
  const w = t.plan.check;
  if (!draft.markings) add("plan-label", w.label);
  const name = bytesOf(draft.name.trim());
  if (name === 0) add("name", w.name);
  else if (name > NAME_BYTES_MAX) add("name", w.long(name - NAME_BYTES_MAX));
  if (!/^[A-Z0-9][A-Z0-9-]*$/.test(draft.incident.trim())) add("incident", w.incident);
  if (!draft.incidentMarkings) add("incident-label", w.incidentLabel);
  if (!draft.precedence) add("precedence", t.check.precedence);
  const text = bytesOf(draft.text.trim());
  if (text === 0) add("text", t.check.text);
  else if (text > TEXT_BYTES_MAX) add("text", t.check.textLong(text - TEXT_BYTES_MAX));
  const options = optionsOf(draft.options);
  if (options.length === 0) add("options", t.check.options);
  if (options.length > OPTIONS_MAX) add("options", t.check.optionsMany);
  const long = options.find(option => bytesOf(option) > OPTION_BYTES_MAX);
  if (long) add("options", t.check.optionLong(long));
  const [deputy = 0, head = 0, centre = 0] = draft.ladder.map(Number);
  const whole = [deputy, head, centre].every(Number.isInteger);
  if (!whole || deputy < 1 || deputy >= head || head >= centre) add("ladder", t.check.ladder);
  const obliged = Object.entries(draft.obliged);
  if (obliged.length === 0) add("obliged", t.check.audience);
  if (obliged.some(([agency, agreement]) => agency !== own && agreement === "")) {
    add("obliged", w.agreement);
  }
  const names = draft.roles.map(role => role.name.trim());
  if (draft.roles.some(role => role.name.trim() === "" || role.seat === "")) add("roles", w.roles);
  if (names.some(one => bytesOf(one) > ROLE_BYTES_MAX)) add("roles", w.roleLong);
  if (new Set(names).size !== names.length) add("roles", w.rolesRepeat);
  const objectives = linesOf(draft.objectives);
  if (objectives.length > OBJECTIVES_MAX) add("objectives", w.objectives);
  if (objectives.some(one => bytesOf(one) > TITLE_BYTES_MAX)) add("objectives", w.objectiveLong);
  return wrong;
}

/** The content of a plan; only for a draft with which nothing is wrong. */
export function contentOf(draft: Draft): Record<string, unknown> {
  return {
    name: draft.name.trim(),
    incident: draft.incident.trim(),
    incident_markings: draft.incidentMarkings,
    precedence: draft.precedence,
    text: draft.text.trim(),
    options: optionsOf(draft.options),
    ladder_s: draft.ladder.map(Number),
    obliged: Object.entries(draft.obliged).map(([agency, agreement]) => ({
      agency,
      agreement: agreement === "" ? null : agreement,
    })),
    roles: draft.roles.map(({ name, seat }) => ({ name: name.trim(), seat })),
    objectives: linesOf(draft.objectives),
  };
}
