// Keys: which command a key, or two keys one after the other, stands for.

/** A key as people read it: `a`, `Shift A`, `Ctrl K`, `g w`, `Enter`. */
export type Keys = string;

export interface KeyPress {
  key: string;
  ctrl: boolean;
  alt: boolean;
  shift: boolean;
  /** Whether the focus is in a field that takes text. */
  inField: boolean;
}

export interface Bound {
  keys: Keys;
  id: string;
}

export type Step =
  /** A command was meant. */
  | { type: "run"; id: string }
  /** The first key of two; the second is awaited. */
  | { type: "wait"; first: string }
  | { type: "none" };

/** Milliseconds in which the second key of two must come. */
export const SECOND_KEY_MS = 1500;

/** How a key press is written. */
export function written(press: KeyPress): string {
  const letter = press.key.length === 1;
  const key = letter && (press.ctrl || press.shift) ? press.key.toUpperCase() : press.key;
  const parts: string[] = [];
  if (press.ctrl) parts.push("Ctrl");
  if (press.alt) parts.push("Alt");
  // `?` is what it is, however it is typed; a capital letter is Shift and the letter.
  if (press.shift && (!letter || /[a-z]/i.test(press.key))) parts.push("Shift");
  return [...parts, key].join(" ");
}

/** Whether a key is a single character, which may be turned off (WCAG 2.2 §2.1.4). */
export function isCharacterKey(keys: Keys): boolean {
  return !/^(Ctrl|Alt) |^(Enter|Escape|Arrow\w+|Home|End|F\d+)$/.test(keys);
}

/** Decides what a key press means. */
export function step(
  bound: readonly Bound[],
  press: KeyPress,
  first: string | null,
  characters: "on" | "off",
): Step {
  const key = written(press);
  const allowed = bound.filter(b => {
    if (!isCharacterKey(b.keys)) return !press.inField || b.keys.startsWith("Ctrl ");
    return characters === "on" && !press.inField;
  });
  if (first !== null) {
    const second = allowed.find(b => b.keys === `${first} ${key}`);
    if (second) return { type: "run", id: second.id };
  }
  const exact = allowed.find(b => b.keys === key);
  if (exact) return { type: "run", id: exact.id };
  return allowed.some(b => b.keys.startsWith(`${key} `) && !/^(Ctrl|Alt|Shift)$/.test(key))
    ? { type: "wait", first: key }
    : { type: "none" };
}
