// Distances, bearings and areas on the ellipsoid of WGS 84 (Karney 2013, by GeographicLib).

import geodesic from "geographiclib-geodesic";
import type { Position } from "../drawings/model";

const { Geodesic } = geodesic;
const { WGS84 } = Geodesic;
/** Corners of a circle as it is drawn. */
const CORNERS = 72;

export interface Leg {
  /** Metres. */
  distance: number;
  /** Degrees from true north, clockwise, 0 to 360, at the beginning of the leg. */
  bearing: number;
}

/** The legs of a path. */
export function legsOf(path: readonly Position[]): Leg[] {
  return path.slice(1).map(([lon, lat], n) => {
    const [lon0, lat0] = path[n]!;
    const { s12 = 0, azi1 = 0 } = WGS84.Inverse(lat0, lon0, lat, lon);
    return { distance: s12, bearing: (azi1 + 360) % 360 };
  });
}

/** Square metres within corners; the last is joined to the first. */
export function areaOf(corners: readonly Position[]): number {
  if (corners.length < 3) return 0;
  const polygon = WGS84.Polygon(false);
  for (const [lon, lat] of corners) polygon.AddPoint(lat, lon);
  return Math.abs(polygon.Compute(false, true).area ?? 0);
}

/** The rim of a circle, closed. */
export function rimOf([lon, lat]: Position, radius: number): Position[] {
  return Array.from({ length: CORNERS + 1 }, (_corner, n): Position => {
    const { lon2 = lon, lat2 = lat } = WGS84.Direct(lat, lon, (n * 360) / CORNERS, radius);
    return [lon2, lat2];
  });
}

/** Mils of a bearing, 6400 to the circle, as the services count them. */
export const milsOf = (degrees: number): number => Math.round((degrees * 6400) / 360) % 6400;

/** `840 m`, `12.4 km` or `1,204 km`. */
export function formatDistance(metres: number): string {
  if (metres < 1000) return `${Math.round(metres)} m`;
  const km = metres / 1000;
  return `${km < 100 ? km.toFixed(km < 10 ? 2 : 1) : Math.round(km).toLocaleString("en")} km`;
}

/** `5,200 m²` or `12.4 km²`. */
export function formatArea(square: number): string {
  if (square < 100_000) return `${Math.round(square).toLocaleString("en")} m²`;
  const km = square / 1e6;
  return `${km < 100 ? km.toFixed(2) : Math.round(km).toLocaleString("en")} km²`;
}
