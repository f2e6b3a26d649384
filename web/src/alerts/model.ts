// What an alert is to a reader: its state, whom it asks, who has answered, who is called next.

import {
  bodyOf,
  type Acknowledgement,
  type AlertBody,
  type Escalation,
  type Precedence,
  type Rendition,
  type Rung,
} from "../api/records";
import type { Label } from "../labels/label";
import { parseTime } from "../kernel/dtg";
import { rankOf, type Status } from "../ui/status";

export const PRECEDENCES: readonly Precedence[] = ["FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE"];
export const RUNGS: readonly Rung[] = ["deputy", "head", "centre"];

/** What the state is called on the screen; the words are in the catalogue. */
export type StateWord =
  "overdue" | "answer" | "waiting" | "answered" | "cancelled" | "erased" | "unknown";

/** A text of an alert under one label. */
export interface Portion {
  label: Label;
  mark: string;
  /** Absent when it was erased. */
  text: string | undefined;
}

export interface Alert {
  rendition: Rendition;
  id: string;
  /** The agency that raised it. */
  agency: string;
  label: Label;
  mark: string;
  body: Partial<AlertBody>;
  /** The alert's own text first, then what stands under higher labels. */
  portions: Portion[];
  audience: readonly string[];
  /** The newest answer of each agency. */
  answers: ReadonlyMap<string, Acknowledgement>;
  raisedAt: number | null;
}

/** Reads a rendition; null for one without a layer, which is no alert to anybody. */
export function alertOf(rendition: Rendition): Alert | null {
  const base = rendition.layers[0];
  if (!base) return null;
  const body = bodyOf<AlertBody>(base);
  const portions = rendition.layers.map(layer => {
    return { label: layer.label, mark: layer.mark, text: bodyOf<AlertBody>(layer).text };
  });
  const answers = new Map((body.acknowledgements ?? []).map(answer => [answer.agency, answer]));
  return {
    rendition,
    id: rendition.id,
    agency: rendition.agency,
    label: base.label,
    mark: base.mark,
    body,
    portions,
    audience: body.audience ?? [],
    answers,
    raisedAt: parseTime(body.raised_at),
  };
}

/** The agencies that were asked and have not answered. */
export const silentOf = (alert: Alert): string[] =>
  alert.audience.filter(agency => !alert.answers.has(agency));

/** Whether an agency is asked for an answer that it has not given. */
export const asks = (alert: Alert, agency: string): boolean =>
  alert.rendition.state === "open" && alert.audience.includes(agency) && !alert.answers.has(agency);

/** The rung that was called last. */
export const lastRung = (alert: Alert): Rung | null => alert.body.escalations?.at(-1)?.rung ?? null;

/** The state of an alert as the reader's agency sees it at a time of the play. */
export function stateOf(
  alert: Alert,
  mine: string,
  now: number,
): { status: Status; word: StateWord } {
  const { state } = alert.rendition;
  if (state === "cancelled") return { status: "off", word: "cancelled" };
  if (state === "answered") return { status: "normal", word: "answered" };
  // What was derived goes with the content: its state is nowhere any more.
  const erased = alert.rendition.layers.some(layer => layer.erased > 0);
  if (!state && erased) return { status: "off", word: "erased" };
  if (state !== "open") return { status: "standby", word: "unknown" };
  const due = parseTime(alert.rendition.due_at);
  if (lastRung(alert) !== null || (due !== null && due <= now)) {
    return { status: "critical", word: "overdue" };
  }
  if (asks(alert, mine)) return { status: "serious", word: "answer" };
  return { status: "caution", word: "waiting" };
}

const precedenceRank = (alert: Alert): number => {
  const rank = PRECEDENCES.indexOf(alert.body.precedence ?? "ROUTINE");
  return rank < 0 ? PRECEDENCES.length : rank;
};

/** The order of the desk: what is open and worst first, then precedence, then the newest. */
export function deskOrder(alerts: readonly Alert[], mine: string, now: number): Alert[] {
  const key = new Map(
    alerts.map(alert => {
      const { status, word } = stateOf(alert, mine, now);
      // Within the overdue, those that wait for the reader's own agency go first.
      const own = word === "overdue" && !asks(alert, mine) ? 1 : 0;
      return [alert, [rankOf(status), own, precedenceRank(alert), -(alert.raisedAt ?? 0)]];
    }),
  );
  return [...alerts].sort((a, b) => {
    const [left, right] = [key.get(a) ?? [], key.get(b) ?? []];
    for (let at = 0; at < left.length; at += 1) {
      const difference = (left[at] ?? 0) - (right[at] ?? 0);
      if (difference !== 0) return difference;
    }
    return a.id < b.id ? -1 : 1;
  });
}

/** What one agency of the audience has done. */
export interface BoardRow {
  agency: string;
  state: "deaf" | "waiting" | "answered" | "released";
  status: Status;
  /** The rung that was called for it last; null while none was. */
  rung: Rung | null;
  /** Whether anybody sits where the rung calls. */
  reached: boolean;
  answer: Acknowledgement | null;
  /** The words of the answer that was chosen. */
  option: string | null;
  /** How many times it has answered. */
  times: number;
  /** Milliseconds from the raising to the answer. */
  afterMs: number | null;
}

/** The board: one row an agency, in the order of the audience, which never changes. */
export function boardOf(alert: Alert): BoardRow[] {
  const open = alert.rendition.state === "open";
  const all = alert.body.acknowledgements ?? [];
  return alert.audience.map(agency => {
    const answer = alert.answers.get(agency) ?? null;
    const called = (alert.body.escalations ?? []).filter(e => e.silent.includes(agency)).at(-1);
    const at = parseTime(answer?.at);
    const deaf = !answer && called !== undefined && open;
    const state = answer ? "answered" : deaf ? "deaf" : open ? "waiting" : "released";
    const status = { answered: "normal", deaf: "critical", waiting: "standby", released: "off" };
    return {
      agency,
      state,
      status: status[state] as Status,
      rung: called?.rung ?? null,
      reached: (called?.called.length ?? 0) > 0,
      answer,
      option: answer ? (alert.body.options?.[answer.option] ?? null) : null,
      times: all.filter(one => one.agency === agency).length,
      afterMs: at !== null && alert.raisedAt !== null ? at - alert.raisedAt : null,
    };
  });
}

/** One rung of the ladder as it is drawn. */
export interface Step {
  rung: Rung;
  escalation: Escalation | null;
  /** When it is called, when that is known and it was not called yet. */
  dueAt: number | null;
  /** Whether it is the next one to be called. */
  next: boolean;
}

/**
 * The ladder of an alert.
 *
 * The time of the first rung is the record's own `due_at`; those after it are known once the node
 * gives the whole ladder out.
 */
export function ladderOf(alert: Alert): Step[] {
  const open = alert.rendition.state === "open";
  const due = parseTime(alert.rendition.due_at);
  const called = alert.body.escalations ?? [];
  const next = RUNGS.find(rung => !called.some(escalation => escalation.rung === rung));
  return RUNGS.map((rung, at) => {
    const seconds = alert.body.ladder_s?.[at];
    const planned =
      seconds !== undefined && alert.raisedAt !== null ? alert.raisedAt + seconds * 1000 : null;
    const escalation = called.find(one => one.rung === rung) ?? null;
    const known = planned ?? (at === 0 ? due : null);
    return {
      rung,
      escalation,
      dueAt: escalation || !open ? null : known,
      next: open && rung === next,
    };
  });
}

/** Something that happened to an alert, in its order. */
export interface Happening {
  at: string;
  what:
    | { type: "raised" }
    | { type: "answered"; answer: Acknowledgement; option: string | null }
    | { type: "escalated"; escalation: Escalation };
}

/** What happened, oldest first. */
export function happenings(alert: Alert): Happening[] {
  const { raised_at, acknowledgements = [], escalations = [], options } = alert.body;
  const all: Happening[] = [
    ...(raised_at ? [{ at: raised_at, what: { type: "raised" as const } }] : []),
    ...acknowledgements.map(answer => ({
      at: answer.at,
      what: { type: "answered" as const, answer, option: options?.[answer.option] ?? null },
    })),
    ...escalations.map(escalation => ({
      at: escalation.at,
      what: { type: "escalated" as const, escalation },
    })),
  ];
  return all.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** How many alerts stand in each of the states that want somebody. */
export function rollUp(alerts: readonly Alert[], mine: string, now: number): Map<Status, number> {
  const counts = new Map<Status, number>();
  for (const alert of alerts) {
    const { status } = stateOf(alert, mine, now);
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  return counts;
}
