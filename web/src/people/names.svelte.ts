// Names of agencies, people and seats by their ids, as far as this reader knows them.

import { bodyOf, type AgencyBody } from "../api/records";
import { store } from "../kernel/store.svelte";
import type { Label } from "../labels/label";
import { beingOf } from "./model";

export interface Named {
  text: string;
  /** A short form, where there is one. */
  code: string | null;
  label: Label;
  mark: string;
}

/** An agency. */
export function agencyNamed(id: string | null | undefined): Named | null {
  const layer = store.get("agency", id)?.layers[0];
  if (!layer) return null;
  const { name, code } = bodyOf<AgencyBody>(layer);
  return { text: name ?? code ?? "", code: code ?? null, label: layer.label, mark: layer.mark };
}

/** A person or a seat. */
export function beingNamed(id: string | null | undefined): Named | null {
  const found = store.get("person", id);
  const being = found ? beingOf(found) : null;
  return being && { text: being.title, code: null, label: being.label, mark: being.mark };
}

/** The code of an agency, or the beginning of its id when it is not known. */
export const agencyCode = (id: string): string => {
  const named = agencyNamed(id);
  return named?.code ?? named?.text ?? id.slice(0, 8);
};
