// The lattice of a scheme: levels by sets of compartments, as far as they may stand together.

import { faultOf, plain, type Marking } from "./label";
import type { Scheme } from "./schemes";

/** LIMIT: compartments drawn at once; each doubles the picture. */
export const COMPARTMENTS_MAX = 4;

export interface Point {
  /** `3 KESTREL LANTERN`. */
  key: string;
  level: number;
  compartments: string[];
  /** Its level, counted from the lowest that is drawn; each set of compartments has a column. */
  row: number;
  column: number;
}

export interface Lattice {
  points: Point[];
  /** From the lower to the higher, without what follows from others. */
  edges: [string, string][];
  rows: number;
  columns: number;
}

const within = (a: readonly string[], b: readonly string[]): boolean =>
  a.every(code => b.includes(code));

/** Whether a reader cleared for the higher reads the lower. */
export const below = (
  low: Pick<Point, "level" | "compartments">,
  high: Pick<Point, "level" | "compartments">,
): boolean => low.level <= high.level && within(low.compartments, high.compartments);

const keyOf = (level: number, compartments: readonly string[]): string =>
  [String(level), ...compartments].join(" ");

function subsets(codes: readonly string[]): string[][] {
  return codes.reduce<string[][]>(
    (all, code) => [...all, ...all.map(some => [...some, code])],
    [[]],
  );
}

/** The points that the rules of the scheme allow, and which covers which. */
export function latticeOf(scheme: Scheme, codes: readonly string[]): Lattice {
  const drawn = scheme.compartments
    .map(({ code }) => code)
    .filter(code => codes.includes(code))
    .slice(0, COMPARTMENTS_MAX);
  const allowed = (marking: Marking): boolean => faultOf(scheme.id, marking) === null;
  const found = scheme.levels.flatMap(({ rank }) =>
    subsets(drawn)
      .filter(compartments => allowed({ ...plain(rank), compartments }))
      .map(compartments => ({ key: keyOf(rank, compartments), level: rank, compartments })),
  );
  const ranks = [...new Set(found.map(({ level }) => level))].sort((a, b) => a - b);
  // The fewer compartments, the nearer to the side of the names.
  const sets = subsets(drawn)
    .sort((a, b) => a.length - b.length)
    .map(set => set.join(" "))
    .filter(set => found.some(({ compartments }) => compartments.join(" ") === set));
  const points = found.map(one => ({
    ...one,
    row: ranks.indexOf(one.level),
    column: sets.indexOf(one.compartments.join(" ")),
  }));
  const edges = points.flatMap((low): [string, string][] => {
    const above = points.filter(high => high !== low && below(low, high));
    const next = above.filter(high => !above.some(one => one !== high && below(one, high)));
    return next.map(high => [low.key, high.key]);
  });
  return { points, edges, rows: ranks.length, columns: sets.length };
}
