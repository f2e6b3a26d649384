// A drawing as it is typed: what is wrong with it, and the command that it becomes. Pure.

import type { DrawingBody, Feature, Position, Shape } from "../drawings/model";
import { parsePlace } from "../kernel/coordinates";
import type { Markings } from "../labels/label";
import { t } from "../text";
import type { Wrong } from "../ui/wrong";

export interface TypedFeature {
  shape: Shape;
  /** Positions, one a line, in any form that people write them in. */
  positions: string;
  radius: string;
  text: string;
  sidc: string;
}

export interface DrawingDraft {
  /** The drawing that is drawn anew; null for a new one. */
  drawing: string | null;
  markings: Markings | null;
  title: string;
  operation: string;
  features: TypedFeature[];
}

export const emptyFeature = (shape: Shape = "point"): TypedFeature => {
  return { shape, positions: "", radius: "500", text: "", sidc: "" };
};

export const emptyDrawing = (): DrawingDraft => ({
  ...{ drawing: null, markings: null, title: "", operation: "" },
  features: [emptyFeature()],
});

const RADIUS_M_MAX = 2_000_000;
const FEWEST: Record<Shape, number> = { point: 1, circle: 1, line: 2, area: 3 };

/** A position as it is added to a feature by pressing the map: to about a metre. */
export const written = ([lon, lat]: Position): string => `${lat.toFixed(5)}, ${lon.toFixed(5)}`;

/** The positions of lines of text; null where one cannot be read. */
export function positionsOf(text: string): (Position | null)[] {
  const lines = text.split("\n").filter(line => line.trim() !== "");
  return lines.map(line => {
    const place = parsePlace(line);
    return place && [place.lon, place.lat];
  });
}

/** Adds a position to a feature: one that has a single position takes it instead. */
export function added(feature: TypedFeature, at: Position): string {
  const line = written(at);
  if (FEWEST[feature.shape] === 1) return line;
  return [...feature.positions.split("\n").filter(one => one.trim() !== ""), line].join("\n");
}

/** What keeps a drawing from being sent. */
export function wrongIn(draft: DrawingDraft): Wrong[] {
  const words = t.drawing.wrong;
  const wrong: Wrong[] = [];
  if (!draft.drawing && !draft.markings)
    wrong.push({ field: "label", text: t.drawing.labelWanted });
  if (draft.title.trim() === "") wrong.push({ field: "title", text: words.title });
  if (draft.features.length === 0) wrong.push({ field: null, text: words.empty });
  for (const [n, { shape, positions, radius }] of draft.features.entries()) {
    const read = positionsOf(positions);
    const field = `positions-${n}`;
    const one = FEWEST[shape] === 1;
    if (read.includes(null)) wrong.push({ field, text: words.positions(n + 1) });
    else if (read.length < FEWEST[shape] || (one && read.length > 1)) {
      wrong.push({ field, text: words.few(n + 1) });
    }
    const metres = Number(radius);
    if (shape === "circle" && !(metres >= 1 && metres <= RADIUS_M_MAX)) {
      wrong.push({ field: `radius-${n}`, text: words.radius(n + 1) });
    }
  }
  return wrong;
}

/** The features as the node takes them; positions that cannot be read are left out. */
export function featuresOf(draft: DrawingDraft): Feature[] {
  return draft.features.map(({ shape, positions, radius, text, sidc }) => ({
    kind: shape,
    at: positionsOf(positions).filter(at => at !== null),
    radius_m: shape === "circle" ? Number(radius) : null,
    text: text.trim() === "" ? null : text.trim(),
    sidc: shape === "point" && sidc !== "" ? sidc : null,
  }));
}

/** The draft with which a drawing is drawn anew. */
export function draftOf(id: string, body: DrawingBody): DrawingDraft {
  const features = (body.features ?? []).map(({ kind, at, radius_m, text, sidc }) => ({
    shape: kind,
    positions: at.map(written).join("\n"),
    radius: String(radius_m ?? 500),
    text: text ?? "",
    sidc: sidc ?? "",
  }));
  const { title = "", operation } = body;
  return { drawing: id, markings: null, title, operation: operation ?? "", features };
}
