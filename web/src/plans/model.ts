// What a plan of declaration is to a reader.

import { bodyOf, type PlanBody, type Rendition } from "../api/records";
import type { Label } from "../labels/label";

export interface Plan {
  id: string;
  label: Label;
  mark: string;
  body: Partial<PlanBody>;
}

/** Reads a rendition; null for one without a layer. */
export function planOf(rendition: Rendition): Plan | null {
  const base = rendition.layers[0];
  if (!base) return null;
  return { id: rendition.id, label: base.label, mark: base.mark, body: bodyOf<PlanBody>(base) };
}

/** The plans by which something can be declared now, by name. */
export function inForce(renditions: Iterable<Rendition>): Plan[] {
  return [...renditions]
    .filter(rendition => rendition.state === "in_force")
    .map(planOf)
    .filter(plan => plan !== null)
    .sort((a, b) => (a.body.name ?? "").localeCompare(b.body.name ?? ""));
}
