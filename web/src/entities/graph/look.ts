// How entities look: one shape and one colour for each family of types.

export const FAMILIES = ["actor", "tool", "technique", "place", "evidence", "other"] as const;
export type Family = (typeof FAMILIES)[number];

const OF: Record<string, Family> = {
  "threat-actor": "actor",
  "intrusion-set": "actor",
  identity: "actor",
  campaign: "actor",
  incident: "actor",
  malware: "tool",
  tool: "tool",
  infrastructure: "tool",
  "malware-analysis": "tool",
  "attack-pattern": "technique",
  "course-of-action": "technique",
  vulnerability: "technique",
  location: "place",
  indicator: "evidence",
  "observed-data": "evidence",
  report: "evidence",
  note: "evidence",
  opinion: "evidence",
  sighting: "evidence",
};

export const familyOf = (type: string): Family => OF[type] ?? "other";

/** The token of a family's colour. */
export const tokenOf = (family: Family): string => `--family-${family}`;

/** Outlines on 16 × 16, for legends and lists; the canvas draws the same shapes. */
export const OUTLINES: Record<Family, string> = {
  actor: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2",
  tool: "M2.8 2.8h10.4v10.4H2.8z",
  technique: "M8 1 15 8 8 15 1 8z",
  place: "M8 1.6 14.8 13.4H1.2z",
  evidence: "M4.5 2h7L15 8l-3.5 6h-7L1 8z",
  other: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 5.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5",
};
