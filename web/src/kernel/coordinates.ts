// Positions as people write them: a grid reference, decimal degrees, or degrees and minutes.

import { forward, toPoint } from "mgrs";

export interface Position {
  lat: number;
  lon: number;
}

/** A position that was read, and how it is written in full. */
export interface Read extends Position {
  read: string;
}

// Zone, band, square and an even number of digits (NGA.STND.0037, 3).
const GRID = /^(\d{1,2})([C-HJ-NP-X])([A-HJ-NP-Z]{2})(\d{0,10})$/;
const NUMBER = String.raw`(\d{1,3}(?:\.\d+)?)`;
const SECONDS = String.raw`(?:${NUMBER}\s*(?:["″s]|''|′′)?)?`;
const MINUTES = String.raw`(?:${NUMBER}\s*['′m:]?\s*${SECONDS})?`;
const HALF = String.raw`([NSEW]?)\s*(-?)${NUMBER}\s*(?:[°d:]\s*${MINUTES})?\s*([NSEW]?)`;
const HALVES = new RegExp(String.raw`^${HALF}\s*[,;\s]\s*${HALF}$`, "i");

const within = (lat: number, lon: number): boolean => Math.abs(lat) <= 90 && Math.abs(lon) <= 180;

/** Columns of 100 km that a zone has, by its number modulo three. */
const COLUMNS = ["STUVWXYZ", "ABCDEFGH", "JKLMNPQR"];
const BANDS = "CDEFGHJKLMNPQRSTUVWX";

/** Reads a grid reference (MGRS); null for another form, or a square that its zone has not. */
function readGrid(text: string): Position | null {
  const grid = text.toUpperCase().replaceAll(/\s+/g, "");
  const found = GRID.exec(grid);
  if (!found) return null;
  const [, number = "", band = "", square = "", digits = ""] = found;
  const zone = Number(number);
  const column = COLUMNS[zone % 3]?.includes(square[0] ?? "") ?? false;
  if (zone < 1 || zone > 60 || digits.length % 2 === 1 || !column || square[1]! > "V") return null;
  try {
    const [lon, lat] = toPoint(grid);
    // A square reaches over the edge of its band by 100 km at most, or the band has no such row.
    const south = -80 + 8 * BANDS.indexOf(band);
    const inBand = lat > south - 1 && lat < south + (band === "X" ? 13 : 9);
    return within(lat, lon) && inBand ? { lat, lon } : null;
  } catch {
    return null;
  }
}

function angle(sign: string, degrees: string, minutes = "", seconds = ""): number | null {
  const [d, m, s] = [Number(degrees), Number(minutes || 0), Number(seconds || 0)];
  if (m >= 60 || s >= 60) return null;
  return (sign === "-" ? -1 : 1) * (d + m / 60 + s / 3600);
}

/** Reads two angles; latitude comes first unless letters say otherwise. */
function readAngles(text: string): Position | null {
  const found = HALVES.exec(text.trim());
  if (!found) return null;
  const [, before1, minus1, d1, m1, s1, after1, before2, minus2, d2, m2, s2, after2] = found;
  const [letter1, letter2] = [before1 || after1 || "", before2 || after2 || ""].map(letter =>
    letter.toUpperCase(),
  ) as [string, string];
  if ((before1 && after1) || (before2 && after2) || (letter1 === "") !== (letter2 === "")) {
    return null;
  }
  let one = angle(minus1 ?? "", d1 ?? "", m1, s1);
  let two = angle(minus2 ?? "", d2 ?? "", m2, s2);
  if (one === null || two === null) return null;
  if (letter1 !== "") {
    const northSouth = (letter: string): boolean => letter === "N" || letter === "S";
    if (northSouth(letter1) === northSouth(letter2)) return null;
    // A letter says which half of the earth; a sign beside it would say so twice.
    if (one < 0 || two < 0) return null;
    if (letter1 === "S" || letter1 === "W") one = -one;
    if (letter2 === "S" || letter2 === "W") two = -two;
    if (!northSouth(letter1)) [one, two] = [two, one];
  }
  return within(one, two) ? { lat: one, lon: two } : null;
}

/** Decimal degrees, to about a metre. */
export const degreesOf = ({ lat, lon }: Position): string => `${lat.toFixed(5)}, ${lon.toFixed(5)}`;

/** The grid reference, as `35V LG 85727 71930`; empty beyond 80° S and 84° N: there is none. */
export function mgrsOf({ lat, lon }: Position, digits = 5): string {
  if (lat < -80 || lat > 84) return "";
  const grid = forward([lon, lat], digits);
  const found = /^(\d+[A-Z])([A-Z]{2})(\d*)$/.exec(grid);
  if (!found) return "";
  const [, zone = "", square = "", numbers = ""] = found;
  const half = numbers.length / 2;
  return [zone, square, numbers.slice(0, half), numbers.slice(half)].join(" ").trim();
}

/** Reads a position in any of the forms; null for none. */
export function parsePlace(text: string): Read | null {
  const found = readGrid(text) ?? readAngles(text);
  return found && { ...found, read: [degreesOf(found), mgrsOf(found)].filter(Boolean).join(" · ") };
}
