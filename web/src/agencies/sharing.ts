// How much each agency shares: of the reports that a reader may read, whose they are, how many of
// them were released to others, and when they were written.

import { bodyOf, type Rendition } from "../api/records";
import { parseTime } from "../kernel/dtg";

const DAY_MS = 86_400_000;
/** Parts of the trend. */
export const PARTS = 14;

export interface Shared {
  agency: string;
  /** Reports of it that the reader may read, as the node counts them. */
  readable: number;
  /** Of those that were read: how many, how many were released, and to how many agencies. */
  read: number;
  released: number;
  receivers: number;
  /** Reports by when they were submitted, the oldest part first. */
  trend: number[];
}

interface ReportBody {
  submitted_at?: string;
  releases?: { agency: string; at: string }[];
}

/** The span that the trend covers: the last days, ending now. */
export const spanOf = (now: number, days: number): { from: number; to: number } => ({
  from: now - days * DAY_MS,
  to: now,
});

/** Counts what is shared, the most readable first. */
export function sharingOf(
  facets: readonly { agency: string; records: number }[],
  reports: Iterable<Rendition>,
  now: number,
  days: number,
): Shared[] {
  const found = new Map<string, Shared & { to: Set<string> }>();
  const of = (agency: string): Shared & { to: Set<string> } => {
    const known = found.get(agency);
    if (known) return known;
    const trend = Array.from({ length: PARTS }, () => 0);
    const fresh = {
      agency,
      readable: 0,
      read: 0,
      released: 0,
      receivers: 0,
      trend,
      to: new Set<string>(),
    };
    found.set(agency, fresh);
    return fresh;
  };
  for (const { agency, records } of facets) of(agency).readable = records;
  const { from, to } = spanOf(now, days);
  for (const report of reports) {
    const one = of(report.agency);
    one.read += 1;
    const bodies = report.layers.map(layer => bodyOf<ReportBody>(layer));
    const others = bodies
      .flatMap(body => body.releases ?? [])
      .filter(release => release.agency !== report.agency);
    if (others.length > 0) one.released += 1;
    for (const release of others) one.to.add(release.agency);
    const at = parseTime(bodies.find(body => body.submitted_at)?.submitted_at);
    if (at === null || at < from || at > to) continue;
    const part = Math.min(PARTS - 1, Math.floor(((at - from) / (to - from)) * PARTS));
    one.trend[part] = (one.trend[part] ?? 0) + 1;
  }
  return [...found.values()]
    .map(({ to: receivers, ...one }) => ({
      ...one,
      readable: Math.max(one.readable, one.read),
      receivers: receivers.size,
    }))
    .sort((a, b) => b.readable - a.readable || a.agency.localeCompare(b.agency));
}

/** The line of a trend on 100 × 20: the higher, the more. */
export function lineOf(trend: readonly number[], most: number): string {
  const step = 100 / Math.max(1, trend.length - 1);
  const height = (n: number): string => (19 - (n / Math.max(1, most)) * 18).toFixed(1);
  const point = (n: number, k: number): string => `${(k * step).toFixed(1)} ${height(n)}`;
  return `M${trend.map(point).join("L")}`;
}
