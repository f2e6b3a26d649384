// What stands on the common picture, by layer, as one reader has it. Pure.

import { alertOf, stateOf } from "../alerts/model";
import type { Rendition } from "../api/records";
import { readDrawing, type Position, type Shape } from "../drawings/model";
import { entityOf } from "../entities/model";
import type { Route } from "../kernel/route";
import type { Label } from "../labels/label";
import type { Status } from "../ui/status";

export const LAYERS = ["alert", "drawing", "entity"] as const;
/** A layer of the picture: a kind of record that has places. */
export type LayerName = (typeof LAYERS)[number];

/** One thing on the picture; a drawing has several. */
export interface Thing {
  /** Unlike any other on the picture. */
  key: string;
  layer: LayerName;
  id: string;
  title: string;
  agency: string;
  label: Label;
  mark: string;
  /** When its record changed last, RFC 3339. */
  at: string;
  shape: Shape;
  positions: readonly Position[];
  radius_m: number | null;
  text: string;
  /** Alerts have one; what has none bears the symbol of its layer. */
  status: Status | null;
  sidc: string | null;
  route: Route;
}

/** Whose eyes it is for: their agency, and the time by which an answer is late. */
export interface Eyes {
  mine: string;
  now: number;
}

function alertThings(rendition: Rendition, { mine, now }: Eyes): Thing[] {
  const alert = alertOf(rendition);
  const place = rendition.place;
  if (!alert || !place || rendition.state === "cancelled") return [];
  const { id, label, mark, agency, body } = alert;
  return [
    {
      ...{ key: id, layer: "alert", id, title: body.title ?? "", agency, label, mark },
      ...{ at: rendition.changed_at, shape: "point", positions: [[place.lon, place.lat]] },
      ...{ radius_m: null, text: "", status: stateOf(alert, mine, now).status, sidc: null },
      route: { page: "watch", id },
    },
  ];
}

function drawingThings(rendition: Rendition): Thing[] {
  const drawing = readDrawing(rendition);
  if (!drawing?.shown) return [];
  const { id, agency, label, mark, body } = drawing;
  return (body.features ?? []).map((feature, n) => ({
    ...{ key: `${id}/${n}`, layer: "drawing", id, title: body.title ?? "", agency, label, mark },
    ...{ at: rendition.changed_at, shape: feature.kind, positions: feature.at },
    ...{ radius_m: feature.radius_m ?? null, text: feature.text ?? "", status: null },
    ...{ sidc: feature.sidc ?? null, route: { page: "map", id } },
  }));
}

/** Entities of the type `location` that say where they are (STIX 2.1, 4.10). */
function entityThings(rendition: Rendition): Thing[] {
  const entity = entityOf(rendition);
  if (entity?.body.type !== "location") return [];
  const at = coordinatesOf(entity.body.original);
  if (!at) return [];
  const { id, agency, label, mark, body } = entity;
  return [
    {
      ...{ key: id, layer: "entity", id, title: body.title ?? "", agency, label, mark },
      ...{ at: rendition.changed_at, shape: "point", positions: [at], radius_m: null, text: "" },
      ...{ status: null, sidc: null, route: { page: "entities", id } },
    },
  ];
}

function coordinatesOf(original: string | undefined): Position | null {
  try {
    const said = JSON.parse(original ?? "null") as { latitude?: unknown; longitude?: unknown };
    const { latitude: lat, longitude: lon } = said ?? {};
    if (typeof lat !== "number" || typeof lon !== "number") return null;
    return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? [lon, lat] : null;
  } catch {
    return null;
  }
}

/** What records of one layer put on the picture. */
export function thingsOf(layer: LayerName, rows: Iterable<Rendition>, eyes: Eyes): Thing[] {
  const read = { alert: alertThings, drawing: drawingThings, entity: entityThings }[layer];
  return [...rows].flatMap(rendition => read(rendition, eyes));
}

/** What one layer holds from one source: an agency. */
export interface Source {
  agency: string;
  count: number;
  /** The newest of it, RFC 3339. */
  newest: string;
}

/** The sources of things, the freshest first. */
export function sourcesOf(things: readonly Thing[]): Source[] {
  const sources = new Map<string, { records: Set<string>; newest: string }>();
  for (const { agency, id, at } of things) {
    const known = sources.get(agency) ?? { records: new Set(), newest: "" };
    known.records.add(id);
    if (at > known.newest) known.newest = at;
    sources.set(agency, known);
  }
  return [...sources]
    .map(([agency, { records, newest }]) => ({ agency, count: records.size, newest }))
    .sort((a, b) => b.newest.localeCompare(a.newest));
}

/** How many things differ between two pictures: what waits while one is frozen. */
export function changesBetween(before: readonly Thing[], after: readonly Thing[]): number {
  const known = new Map(before.map(thing => [thing.key, JSON.stringify(thing)]));
  let changes = 0;
  for (const thing of after) {
    if (known.get(thing.key) !== JSON.stringify(thing)) changes += 1;
    known.delete(thing.key);
  }
  return changes + known.size;
}
