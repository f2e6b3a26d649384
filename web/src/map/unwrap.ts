// Shapes on a plane: rings and lines that cross the antimeridian go on beyond 180°.
//
// The atlas joins what the antimeridian cuts, as a globe wants it. On a plane a step from 179° to
// −179° would be drawn across the whole world; a renderer that repeats the world wants 181°.

import type { Geometry, MultiLineString, Position } from "geojson";

/** The half turn beyond which a step is taken the other way round. */
const HALF = 180;
const TURN = 360;

/** The same points with longitudes that never jump: each step is less than half a turn. */
export function unwrapLine(points: readonly Position[]): Position[] {
  let turns = 0;
  let before: number | undefined;
  return points.map(([lon = 0, lat = 0]) => {
    if (before !== undefined) {
      if (lon - before > HALF) turns -= TURN;
      else if (before - lon > HALF) turns += TURN;
    }
    before = lon;
    return [lon + turns, lat];
  });
}

/** A ring likewise. One that goes round a pole is closed along that pole. */
export function unwrapRing(ring: readonly Position[]): Position[] {
  const points = unwrapLine(ring);
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || Math.abs(last[0]! - first[0]!) < HALF) return points;
  const pole = first[1]! < 0 ? -90 : 90;
  return [...points, [last[0]!, pole], [first[0]!, pole], first];
}

/** Areas and lines of a geometry, each unwrapped; other shapes as they are. */
export function unwrap<G extends Geometry | MultiLineString>(shape: G): G {
  switch (shape.type) {
    case "Polygon":
      return { ...shape, coordinates: shape.coordinates.map(unwrapRing) };
    case "MultiPolygon":
      return { ...shape, coordinates: shape.coordinates.map(area => area.map(unwrapRing)) };
    case "LineString":
      return { ...shape, coordinates: unwrapLine(shape.coordinates) };
    case "MultiLineString":
      return { ...shape, coordinates: shape.coordinates.map(unwrapLine) };
    default:
      return shape;
  }
}
