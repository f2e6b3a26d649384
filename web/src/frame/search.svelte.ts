// Records that the palette finds by the words of their titles, names and codes.

import { agencies } from "../agencies/agencies.svelte";
import { agreements } from "../agreements/agreements.svelte";
import { alerts } from "../alerts/alerts.svelte";
import { search as ask } from "../api/call";
import { bodyOf } from "../api/records";
import type { Route } from "../kernel/route";
import { store } from "../kernel/store.svelte";
import type { Label } from "../labels/label";
import { agencyCode } from "../people/names.svelte";
import { people } from "../people/people.svelte";
import { reports } from "../reports/reports.svelte";
import { askable } from "../search/language";
import { routeOfHit, type Hits } from "../search/model";
import { t } from "../text";
import { fits } from "../ui/filter";

export interface Found {
  id: string;
  /** A kind of record, or `seat`. */
  kind: string;
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
  for (const { id, body, agency, label, mark } of reports.ordered) {
    const [title, more] = [body.title ?? t.list.erased, agencyCode(agency)];
    yield { id, kind: "report", title, more, label, mark, route: { page: "reports", id } };
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
  for (const kind of ["operation", "plan", "drawing"] as const) {
    for (const rendition of store.rows(kind).values()) {
      const base = rendition.layers[0];
      const route = routeOfHit(rendition);
      if (!base || !route) continue;
      const { title, name } = bodyOf<{ title: string; name: string }>(base);
      const more = agencyCode(rendition.agency);
      const { label, mark } = base;
      const said = title ?? name ?? t.list.erased;
      yield { id: rendition.id, kind, title: said, more, label, mark, route };
    }
  }
}

/** How well a title answers what was typed: it begins so, a word of it does, or neither. */
function distance(title: string, typed: string): number {
  const [row, words] = [title.toLowerCase(), typed.trim().toLowerCase()];
  if (row.startsWith(words)) return 0;
  return row.includes(` ${words}`) ? 1 : 2;
}

/** Records that fit what was typed, the nearest first; none while nothing was. */
export function found(typed: string): Found[] {
  if (typed.trim() === "") return [];
  const fitting: { one: Found; distance: number }[] = [];
  for (const one of all()) {
    if (!fits(typed, one.title, one.more, t.search.kinds[one.kind] ?? "")) continue;
    fitting.push({ one, distance: distance(one.title, typed) });
  }
  fitting.sort((a, b) => a.distance - b.distance);
  return fitting.slice(0, FOUND_MAX).map(({ one }) => one);
}

/** Letters from which on the node is asked. */
const ASKED_FROM = 2;

/** What the node finds of all that may be read, as records of the palette; none when it cannot. */
export async function foundElsewhere(typed: string): Promise<Found[]> {
  if (typed.trim().length < ASKED_FROM || !askable(typed)) return [];
  const answer = await ask<Hits>(typed, null);
  if (!answer.done) return [];
  return answer.value.items.flatMap(({ id, kind, title, agency, label, mark }) => {
    const route = routeOfHit({ id, kind });
    const more = agencyCode(agency);
    return route ? [{ id, kind, title: title ?? t.list.erased, more, label, mark, route }] : [];
  });
}
