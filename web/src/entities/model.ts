// Entities as the node gives them, and what the pages make of them.

import { bodyOf, type Rendition } from "../api/records";
import type { Label } from "../labels/label";

export interface Version {
  at: string;
  name: string;
  modified: string | null;
  revoked: boolean;
  older: boolean;
}

export interface Aside {
  at: string;
  modified: string | null;
  reason: string;
  original: string;
}

export interface EntityBody {
  type?: string;
  title?: string;
  description?: string;
  stix_id?: string;
  created?: string | null;
  modified?: string | null;
  revoked?: boolean;
  relationship?: { kind: string; source: string; target: string };
  original?: string;
  imported_at?: string;
  versions?: Version[];
  held?: Aside[];
}

export interface Entity {
  rendition: Rendition;
  id: string;
  agency: string;
  label: Label;
  mark: string;
  /** The newest version that this reader may read. */
  body: EntityBody;
  /** Of every layer, newest first. */
  versions: (Version & { mark: string; label: Label })[];
  held: (Aside & { mark: string; label: Label })[];
}

/** Reads a rendition; null for one without a layer. */
export function entityOf(rendition: Rendition): Entity | null {
  const layers = rendition.layers.map(layer => ({ layer, body: bodyOf<EntityBody>(layer) }));
  const [first, ...rest] = layers;
  if (!first) return null;
  const newest = rest.reduce(
    (best, one) => ((one.body.modified ?? "") > (best.body.modified ?? "") ? one : best),
    first,
  );
  const marked = <T>(of: (body: EntityBody) => T[] | undefined) =>
    layers.flatMap(({ layer, body }) =>
      (of(body) ?? []).map(one => ({ ...one, mark: layer.mark, label: layer.label })),
    );
  return {
    rendition,
    id: rendition.id,
    agency: rendition.agency,
    label: newest.layer.label,
    mark: newest.layer.mark,
    body: newest.body,
    versions: marked(body => body.versions).sort((a, b) =>
      (b.modified ?? "").localeCompare(a.modified ?? ""),
    ),
    held: marked(body => body.held),
  };
}

/** What the original says beside what the node shows of it; nothing when it cannot be read. */
export interface Said {
  description: string | null;
  aliases: string[];
  /** Ids that others gave it, such as `T1055.011` of `mitre-attack`. */
  external: { source: string; id: string }[];
  text: string;
}

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter(one => typeof one === "string") : [];

export function saidOf(original: string | undefined): Said | null {
  if (original === undefined) return null;
  try {
    const object = JSON.parse(original) as Record<string, unknown>;
    const names = Object.keys(object).filter(
      name => name === "aliases" || (name.startsWith("x_") && name.endsWith("_aliases")),
    );
    const references = Array.isArray(object["external_references"])
      ? (object["external_references"] as Record<string, unknown>[])
      : [];
    const description = object["description"];
    return {
      description: typeof description === "string" ? plainText(description) : null,
      aliases: [...new Set(names.flatMap(name => texts(object[name])))].filter(
        name => name !== object["name"],
      ),
      external: references.flatMap(({ source_name, external_id }) =>
        typeof source_name === "string" && typeof external_id === "string"
          ? [{ source: source_name, id: external_id }]
          : [],
      ),
      text: JSON.stringify(object, null, 2),
    };
  } catch {
    // The text is shown as it came.
    return { description: null, aliases: [], external: [], text: original };
  }
}

/** Descriptions carry links and citations of their own markup; people read the words. */
export function plainText(text: string): string {
  return text
    .replace(/\[([^\]]+)\]\([^)]*\)/g, "$1")
    .replace(/\s*\(Citation: [^)]*\)/g, "")
    .replace(/<\/?code>/g, "")
    .trim();
}

export interface Related {
  direction: "out" | "in";
  kind: string;
  relationship: string;
  relationship_mark: string;
  entity: string;
  type: string;
  title: string;
  mark: string;
  modified: string | null;
}

export interface RelatedAnswer {
  items: Related[];
  more: boolean;
}

/** Related entities by direction and kind, each group in the order of titles. */
export function grouped(items: readonly Related[]): { key: string; items: Related[] }[] {
  const groups = new Map<string, Related[]>();
  for (const one of items) {
    const key = `${one.direction} ${one.kind}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.entries()]
    .sort(([a], [b]) => b.localeCompare(a))
    .map(([key, of]) => ({ key, items: of.sort((a, b) => a.title.localeCompare(b.title)) }));
}
