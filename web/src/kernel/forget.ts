// What must go when the reader goes: whoever signs in on this page next must find none of it.

const all: (() => void)[] = [];

/** Says what is to be dropped when the session ends. */
export function onForget(drop: () => void): void {
  all.push(drop);
}

/** The session has ended. */
export function forgetAll(): void {
  for (const drop of all) drop();
}
