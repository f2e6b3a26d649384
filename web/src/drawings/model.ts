// Drawings: what people drew on the common picture, as a reader has it.

import { bodyOf, type Rendition } from "../api/records";
import type { Label } from "../labels/label";

/** Longitude and latitude in degrees (RFC 7946, 3.1.1). */
export type Position = [lon: number, lat: number];

export type Shape = "point" | "line" | "area" | "circle";

export interface Feature {
  kind: Shape;
  at: Position[];
  /** Metres, of circles alone. */
  radius_m?: number | null;
  text?: string | null;
  /** 20 or 30 digits of MIL-STD-2525D or APP-6D, of points alone. */
  sidc?: string | null;
}

export interface DrawingBody {
  title?: string;
  features?: Feature[];
  operation?: string | null;
  version?: number;
  revised_at?: string;
  withdrawn?: string;
}

export interface Drawing {
  rendition: Rendition;
  id: string;
  agency: string;
  label: Label;
  mark: string;
  body: DrawingBody;
  /** Whether it is to be shown: not withdrawn. */
  shown: boolean;
}

/** Reads a rendition; null for one without a layer. */
export function readDrawing(rendition: Rendition): Drawing | null {
  const base = rendition.layers[0];
  if (!base) return null;
  const { id, state } = rendition;
  const agency = base.label.originators[0] ?? "";
  const body = bodyOf<DrawingBody>(base);
  return {
    rendition,
    id,
    agency,
    label: base.label,
    mark: base.mark,
    body,
    shown: state === "shown",
  };
}
