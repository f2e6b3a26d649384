// How fast a play runs, from two looks at its clock.

export interface Sample {
  /** Time of the play, in milliseconds. */
  play: number;
  /** Time of this machine, from `performance.now()`. */
  here: number;
}

/** Below this span between two looks the way there and back says more than the clock. */
export const SPAN_MS_MIN = 900;

/** Play seconds per second, a whole number; null when the two looks are too near each other. */
export function speedOf(first: Sample, second: Sample): number | null {
  const here = second.here - first.here;
  if (here < SPAN_MS_MIN) return null;
  return Math.max(1, Math.round((second.play - first.play) / here));
}
