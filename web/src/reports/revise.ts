// A new version of a report: the lines of each label that changed, all of them, for one version of
// what stands under a label takes the place of the one before.

import type { Markings } from "../labels/label";
import type { FormName, LineName, Portion, Report } from "./model";
import { LINES } from "./model";

/** A line as it is typed anew. */
export interface Revised {
  line: LineName;
  text: string;
  source: string;
  information: string;
  /** Which of the labels of the report it stands under; 0 is that of the report itself. */
  layer: number;
}

/** A label of the report under which lines stand. */
export interface Place {
  mark: string;
  markings: Markings;
}

/** The labels of the report that this reader may read: its own first, then the higher ones. */
export function placesOf(report: Report): Place[] {
  const places: Place[] = [{ mark: report.mark, markings: report.label.markings }];
  for (const { mark, label } of report.portions) {
    if (!places.some(place => place.mark === mark)) {
      places.push({ mark, markings: label.markings });
    }
  }
  return places;
}

/** The lines as they stand now. */
export function linesNow(report: Report): Revised[] {
  const places = placesOf(report);
  return report.portions.map(({ line, text, grade, mark }: Portion) => ({
    line,
    text,
    source: grade?.source ?? "",
    information: grade ? String(grade.information) : "",
    layer: Math.max(
      0,
      places.findIndex(place => place.mark === mark),
    ),
  }));
}

/** The lines of a form that could be added. */
export const addable = (form: FormName): readonly LineName[] => LINES[form];

const worded = (lines: readonly Revised[], layer: number): string =>
  JSON.stringify(
    lines
      .filter(one => one.layer === layer && one.text.trim() !== "")
      .map(({ line, text, source, information }) => [line, text.trim(), source, information]),
  );

export type Fault = "nothing" | "emptied" | "grade";

/** The command without its reason, or why there is none. */
export function revisionOf(
  report: Report,
  typed: readonly Revised[],
): { portions: Record<string, unknown>[] } | { fault: Fault } {
  const [before, places] = [linesNow(report), placesOf(report)];
  const changed = places.flatMap((_place, n) =>
    worded(before, n) === worded(typed, n) ? [] : [n],
  );
  if (changed.length === 0) return { fault: "nothing" };
  const said = typed.filter(one => one.text.trim() !== "" && changed.includes(one.layer));
  // A layer of which nothing is left would stay as it was: no version is sent of it.
  if (changed.some(n => !said.some(one => one.layer === n))) return { fault: "emptied" };
  const ungraded = said.some(one => !(one.source && one.information));
  if (report.body.form === "intelligence" && ungraded) return { fault: "grade" };
  const portions = said.map(({ line, text, source, information, layer }) => ({
    line,
    text: text.trim(),
    markings: layer === 0 ? null : places[layer]?.markings,
    grade: source && information ? { source, information: Number(information) } : null,
  }));
  return { portions };
}
