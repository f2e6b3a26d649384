// Schemes of labels: how levels, compartments, audiences and caveats are named and written.
//
// The server's schemes decide; the copy that is shipped with the client serves until they are read,
// and for a server that does not give them out yet.

import { SHIPPED } from "./schemes.generated";

export interface Level {
  rank: number;
  code: string;
  name: string;
  portion: string;
  colour: string;
}

export interface Category {
  code: string;
  name: string;
  portion: string;
  level_min: string | null;
  level_max: string | null;
  requires: string[];
  excludes: string[];
  fused: boolean;
}

export interface Audience {
  code: string;
  name: string;
}

export interface Group extends Audience {
  members: string[];
}

export interface Phrase {
  codes: string[];
  name: string;
  portion: string;
  colour: string | null;
  circle: boolean;
}

export interface Scheme {
  id: string;
  title: string;
  version: number;
  kind: string;
  marking: {
    order: string[];
    separator: string;
    within: string;
    release: string;
    nobody: string;
    unrestricted: string | null;
    phrases_only: boolean;
  };
  levels: Level[];
  compartments: Category[];
  audiences: Audience[];
  groups: Group[];
  phrases: Phrase[];
  caveats: Category[];
}

let known: readonly Scheme[] = SHIPPED;

/** All schemes in the order of their names. */
export const schemes = (): readonly Scheme[] => known;

/** The scheme of a name. */
export const scheme = (id: string): Scheme | undefined => known.find(s => s.id === id);

/** Takes the server's schemes in place of the shipped ones; false when they are no schemes. */
export function adopt(given: readonly Scheme[]): boolean {
  const whole = (of: Scheme): boolean => Array.isArray(of.levels) && Array.isArray(of.groups);
  if (!Array.isArray(given) || given.length === 0 || !given.every(whole)) return false;
  known = [...given].sort((a, b) => (a.id < b.id ? -1 : 1));
  return true;
}
