// How good the connection is, from what was last heard and how.

export type LinkState = "live" | "delayed" | "stale" | "offline";

/** What the socket knows; times are of this machine's own clock. */
export interface Heard {
  socket: "open" | "connecting" | "closed";
  /** When the server was last heard, over the stream or by a sign of life; null for never. */
  at: number | null;
}

/** How often the server is asked for a sign of life while the stream is silent. */
export const BEAT_MS = 5_000;
/** Twice the beat: something is slow. */
export const DELAYED_MS = 2 * BEAT_MS;
/** Four beats: what is on the screen is old. */
export const STALE_MS = 4 * BEAT_MS;

/** Milliseconds since the server was last heard. */
export function ageMs(heard: Heard, now: number): number | null {
  return heard.at === null ? null : Math.max(0, now - heard.at);
}

/** The state of the connection. */
export function linkState(heard: Heard, now: number): LinkState {
  const age = ageMs(heard, now);
  if (heard.socket !== "open" || age === null) {
    // A reconnection that takes a moment is no outage.
    return age !== null && age < BEAT_MS ? "delayed" : "offline";
  }
  if (age >= STALE_MS) return "stale";
  return age >= DELAYED_MS ? "delayed" : "live";
}

/** How long to wait before the next attempt: doubling up to 15 s, `chance` in 0..1 as jitter. */
export function backOffMs(attempt: number, chance: number): number {
  const most = Math.min(15_000, 250 * 2 ** Math.min(attempt, 10));
  return Math.round(most / 2 + (most / 2) * chance);
}
