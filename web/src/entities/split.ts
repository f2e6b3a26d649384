// Cutting a bundle of STIX 2.1 into its objects, each as it was received, to the byte.

/** The texts of the objects in a bundle; null when it is none. */
export function objectsOf(bundle: string): string[] | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(bundle);
  } catch {
    return null;
  }
  const { type, objects } = (parsed ?? {}) as { type?: unknown; objects?: unknown };
  if (type !== "bundle" || !Array.isArray(objects)) return null;
  // The text is JSON, so that brackets and quotes outside of strings pair up.
  const texts: string[] = [];
  let depth = 0;
  let within = false;
  let name: string | null = null;
  let started = -1;
  for (let at = 0; at < bundle.length; at += 1) {
    const c = bundle[at];
    if (c === '"') {
      const end = endOfString(bundle, at);
      if (depth === 1 && !within) name = JSON.parse(bundle.slice(at, end + 1)) as string;
      at = end;
    } else if (c === "{" || c === "[") {
      depth += 1;
      if (depth === 2 && c === "[" && name === "objects") within = true;
      else if (depth === 3 && within) started = at;
    } else if (c === "}" || c === "]") {
      if (depth === 3 && within) texts.push(bundle.slice(started, at + 1));
      if (depth === 2) within = false;
      depth -= 1;
    }
  }
  return texts.length === objects.length ? texts : null;
}

function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

/** Objects that one act imports, at most. */
const OBJECTS_MAX = 200;
/** Characters of the objects of one act, at most: the act is written once more by the node. */
const TEXT_MAX = 60_000;

/** Cuts objects into acts, in their order. */
export function actsOf(objects: readonly string[]): string[][] {
  const acts: string[][] = [];
  let size = Infinity;
  for (const object of objects) {
    const last = acts.at(-1);
    if (!last || last.length >= OBJECTS_MAX || size + object.length > TEXT_MAX) {
      acts.push([object]);
      size = object.length;
    } else {
      last.push(object);
      size += object.length;
    }
  }
  return acts;
}

/** Whether an object is a definition of a marking, which the others may bear. */
export const isDefinition = (object: string): boolean =>
  (JSON.parse(object) as { type?: unknown }).type === "marking-definition";

/** The place that a refusal names, as in `objects[7]: …`; null when it names none. */
export function placeOf(detail: string): number | null {
  const found = /^objects\[(\d+)\]/.exec(detail);
  return found ? Number(found[1]) : null;
}
