// What changed of an entity, when: its versions, what was held aside, when each came in.

import type { Label } from "../labels/label";
import type { Entity } from "./model";

export interface Happened {
  at: string;
  what: "created" | "version" | "older" | "revoked" | "held";
  /** What it is called since then. */
  name: string | null;
  /** What it was called until then, where that is another name. */
  before: string | null;
  /** When the node took it in. */
  imported: string;
  reason: string | null;
  label: Label;
  mark: string;
}

/** The newest first. A version is called by what changed with it. */
export function history(of: Entity): Happened[] {
  const inOrder = [...of.versions].reverse();
  const versions = inOrder.map((version, n): Happened => {
    const before = inOrder[n - 1];
    const revoked = version.revoked && before?.revoked !== true;
    const first = n === 0 && (version.modified ?? "") === (of.body.created ?? "");
    return {
      at: version.modified ?? version.at,
      what: revoked ? "revoked" : first ? "created" : version.older ? "older" : "version",
      name: version.name,
      before: before && before.name !== version.name ? before.name : null,
      imported: version.at,
      reason: null,
      label: version.label,
      mark: version.mark,
    };
  });
  const held = of.held.map((aside): Happened => ({
    at: aside.modified ?? aside.at,
    what: "held",
    name: null,
    before: null,
    imported: aside.at,
    reason: aside.reason,
    label: aside.label,
    mark: aside.mark,
  }));
  return [...versions, ...held].sort((a, b) => b.at.localeCompare(a.at));
}
