// Entities: what agencies hold of actors, tools and places, as STIX 2.1. Pages stand beside this
// file.

import type { Rendition } from "../api/records";

/** The path of the list, as in the address. */
export const path = "/entities";

export interface Version {
  modified: string | null;
  name: string;
  at: string;
}

export interface Entity {
  id: string;
  agency: string;
  state: string | null;
  /** The mark of the highest layer that is read. */
  mark: string;
  label: Rendition["layers"][number]["label"];
  type: string;
  title: string;
  description: string;
  stixId: string;
  modified: string | null;
  /** The object as received, to the byte. */
  original: string;
  versions: Version[];
  held: number;
}

/** What is related to an entity. */
export interface Related {
  by: Short;
  source: boolean | null;
  ends: Short[];
}

interface Short {
  id: string;
  type: string;
  title: string;
  mark: string;
}

/** Reads a rendition: a higher layer says more than those below it. */
export function entityOf(rendition: Rendition): Entity | null {
  const top = rendition.layers.at(-1);
  if (!top) return null;
  const newest = (field: string): unknown =>
    rendition.layers.map(layer => layer.body[field]).findLast(value => value !== undefined);
  const text = (field: string): string => {
    const value = newest(field);
    return typeof value === "string" ? value : "";
  };
  const lists = (field: string): unknown[] =>
    rendition.layers.flatMap(layer => {
      const list: unknown = layer.body[field];
      return Array.isArray(list) ? (list as unknown[]) : [];
    });
  return {
    id: rendition.id,
    agency: rendition.agency,
    state: rendition.state,
    mark: top.mark,
    label: top.label,
    type: text("type"),
    title: text("title"),
    description: text("description"),
    stixId: text("stix_id"),
    modified: text("modified") || null,
    original: text("original"),
    versions: lists("versions") as Version[],
    held: lists("held").length,
  };
}
