// The order of a live list: a row never moves under the pointer.
//
// While a list is held, because the pointer or the focus is in it, every row keeps its place. What
// is new waits behind a pill, and what may no longer be read leaves an empty place.

export interface Order {
  /** The rows in the order shown; those that are gone still have their place. */
  shown: readonly string[];
  /** Rows that wait until the list is let go. */
  fresh: readonly string[];
}

export type Hold = "held" | "free";

/** Settles what is shown when the rows wanted, in their order, are `wanted`. */
export function settle(shown: readonly string[], wanted: readonly string[], hold: Hold): Order {
  if (hold === "free" || shown.length === 0) return { shown: wanted, fresh: [] };
  const known = new Set(shown);
  return { shown, fresh: wanted.filter(id => !known.has(id)) };
}
