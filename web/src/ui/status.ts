// The six statuses, worst first.

export const STATUSES = ["critical", "serious", "caution", "normal", "standby", "off"] as const;

export type Status = (typeof STATUSES)[number];

/** Where a status stands, worst first. */
export const rankOf = (status: Status): number => STATUSES.indexOf(status);

/** The worst of several: what a roll-up shows. */
export function worst(statuses: Iterable<Status>): Status | null {
  let found: Status | null = null;
  for (const status of statuses) {
    if (found === null || rankOf(status) < rankOf(found)) found = status;
  }
  return found;
}
