// Records that the palette finds by the words of their titles, names and codes.

import { agencies } from "../agencies/agencies.svelte";
import { agreements } from "../agreements/agreements.svelte";
import { alerts } from "../alerts/alerts.svelte";
import type { Route } from "../kernel/route";
import type { Label } from "../labels/label";
import { agencyCode } from "../people/names.svelte";
import { people } from "../people/people.svelte";
import { t } from "../text";
import { fits } from "../ui/filter";

export interface Found {
  id: string;
  kind: keyof typeof t.palette.record;
  title: string;
  /** What else is said of it, such as the agency. */
  more: string;
  label: Label;
  mark: string;
  route: Route;
}

/** LIMIT: records shown at once. */
const FOUND_MAX = 30;

function* all(): Generator<Found> {
  for (const { id, body, agency, label, mark } of alerts.ordered) {
    const [title, more] = [body.title ?? t.alert.untitled, agencyCode(agency)];
    yield { id, kind: "alert", title, more, label, mark, route: { page: "watch", id } };
  }
  for (const { id, text, label, mark } of agreements.ordered) {
    const title = text?.title ?? t.list.erased;
    const more = (text?.parties ?? []).map(agencyCode).join(", ");
    yield { id, kind: "agreement", title, more, label, mark, route: { page: "agreements", id } };
  }
  for (const { id, is, title, agency, label, mark } of [...people.seats, ...people.people]) {
    const more = agencyCode(agency);
    yield { id, kind: is, title, more, label, mark, route: { page: "people", id } };
  }
  for (const { id, name, code, label, mark } of agencies.all) {
    const route: Route = { page: "agencies", id };
    yield { id, kind: "agency", title: name, more: code, label, mark, route };
  }
}

/** Records that fit what was typed; none while nothing was. */
export function found(typed: string): Found[] {
  if (typed.trim() === "") return [];
  const fitting: Found[] = [];
  for (const one of all()) {
    if (!fits(typed, one.title, one.more, t.palette.record[one.kind])) continue;
    fitting.push(one);
    if (fitting.length >= FOUND_MAX) break;
  }
  return fitting;
}
