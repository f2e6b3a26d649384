import { count } from "./count";

export const feed = {
  feed: {
    title: "Feed",
    label: "Everything that you may read, what changed last first",
    kind: "Kind",
    allKinds: "All kinds",
    agency: "Agency",
    allAgencies: "All agencies",
    level: "Level",
    allLevels: "All levels",
    shown: (n: number): string => count(n, "record", "records"),
    fresh: (n: number): string => `${n} new`,
    reading: "Reading…",
    older: "Reading older records…",
    end: "That is all that you may read.",
    none: "Nothing fits the filters.",
    gone: "No longer available",
    row: (kind: string, title: string, agency: string, dtg: string): string =>
      `${kind}: ${title}, ${agency}, changed ${dtg}`,
  },
};
