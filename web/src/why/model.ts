// Why somebody reads a record, and why not: what the node answers, in words.

import { formatDtg, parseTime } from "../kernel/dtg";
import { t } from "../text";

/** A clause that permits or forbids. */
export interface Cited {
  agreement: string;
  clause: string;
  version: number;
}

/** What permitted the reading of one label. */
export interface Ground {
  clauses: Cited[];
  rules: string[];
  /** Whether a clause is left out, as its agreement may not be read. */
  withheld: boolean;
}

/** Why one reads a record oneself, layer by layer. */
export interface Why {
  layers: { id: string; circle: string | null; grounds: Ground[] }[];
}

export type Lack =
  | { what: "clause" | "signature" | "suspended" | "purpose" }
  | { what: "not_yet"; starts_at: string }
  | { what: "ended"; ends_at: string }
  | { what: "scheme"; scheme: string }
  | { what: "level"; scheme: string; ceiling: string }
  | { what: "compartments"; scheme: string; missing: string[] }
  | { what: "caveats"; excluded: string[] };

/** An agreement, or a clause of it, that comes near, and what it lacks. */
export interface Near {
  agreement: string;
  clause: string | null;
  version: number | null;
  lacks: Lack[];
}

export type Short = "scheme" | "level" | "compartment" | "audience" | "play";

export interface Obstacle {
  by: "inactive" | "clearance" | "clause" | "forbidden" | "role" | "circle" | "rules";
  because: Short[];
  circle: string | null;
  clauses: Cited[];
  near: Near[];
}

/** Whether one layer is read by whoever was asked about. */
export interface Told {
  id: string;
  reads: boolean;
  clauses: Cited[];
  rules: string[];
  withheld: boolean;
  needs: { roles: string[]; training: string[]; releasable_to: string[] } | null;
  obstacles: Obstacle[];
}

export interface WhyNot {
  agency: string;
  person: string | null;
  layers: Told[];
}

/** Clauses and rules of all grounds, each once. */
export function together(grounds: readonly Ground[]): Ground {
  const clauses = new Map(
    grounds.flatMap(ground => ground.clauses).map(cited => [citeOf(cited), cited]),
  );
  return {
    clauses: [...clauses.values()],
    rules: [...new Set(grounds.flatMap(ground => ground.rules))],
    withheld: grounds.some(ground => ground.withheld),
  };
}

export const citeOf = (cited: Cited): string =>
  `${cited.agreement}:${cited.clause}:${cited.version}`;

const list = (codes: readonly string[]): string => codes.join(", ");

const dtg = (time: string): string => {
  const ms = parseTime(time);
  return ms === null ? time : formatDtg(ms);
};

/** What a clause or an agreement lacks, after its name. */
export function lackWords(lack: Lack, action: string, agency: string): string {
  const words = t.why.lacks;
  switch (lack.what) {
    case "clause":
      return words.clause(action, agency);
    case "signature":
    case "suspended":
    case "purpose":
      return words[lack.what];
    case "not_yet":
      return words.not_yet(dtg(lack.starts_at));
    case "ended":
      return words.ended(dtg(lack.ends_at));
    case "scheme":
      return words.scheme(lack.scheme);
    case "level":
      return words.level(lack.ceiling);
    case "compartments":
      return words.compartments(list(lack.missing));
    case "caveats":
      return words.caveats(list(lack.excluded));
  }
}

/** Whether a clause of the action comes near, and not only an agreement without one. */
export const isNear = (obstacle: Obstacle): boolean =>
  obstacle.near.some(near => near.clause !== null);

/** What stands in the way, as a sentence; the clauses and agreements stand beside it. */
export function obstacleWords(obstacle: Obstacle, who: string, action: string): string {
  const words = t.why.obstacle;
  switch (obstacle.by) {
    case "clearance":
      return words.clearance(list(obstacle.because.map(short => t.why.short[short])));
    case "clause":
      if (obstacle.near.length === 0) return words.noAgreement(who, action);
      return isNear(obstacle) ? words.clause(action) : words.noClause(who, action);
    case "circle":
      return words.circle(who);
    case "inactive":
    case "forbidden":
    case "role":
    case "rules":
      return words[obstacle.by];
  }
}

/** What a reader there must have besides the clearance of the mark; empty when nothing. */
export function needWords(needs: Told["needs"]): string[] {
  if (needs === null) return [];
  const words = t.why.needs;
  return [
    ...(needs.roles.length > 0 ? [words.roles(list(needs.roles))] : []),
    ...(needs.training.length > 0 ? [words.training(list(needs.training))] : []),
    ...(needs.releasable_to.length > 0 ? [words.releasable(list(needs.releasable_to))] : []),
  ];
}
