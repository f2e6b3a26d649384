// A bundle cut into acts in the browser: each object keeps its bytes as they stand in the file.

/** Limits of one act, below the node's own: what is shown stands beside the objects. */
const OBJECTS_MAX = 256;
const ACT_BYTES = 240 * 1024;
const OBJECT_EXTRA_BYTES = 1280;
const OBJECT_BYTES = 56 * 1024;
const DEFINITIONS_MAX = 64;
/** Largest file that a browser cuts. */
export const FILE_BYTES_MAX = 64 * 1024 * 1024;

export interface Part {
  objects: string[];
  definitions: string[];
}

export interface Job {
  parts: Part[];
  objects: number;
  /** Objects that stand in no part, by reason. */
  held: Record<string, number>;
}

const SPACE = new Set([" ", "\t", "\n", "\r"]);

function skipSpace(text: string, from: number): number {
  let at = from;
  while (SPACE.has(text.charAt(at))) at += 1;
  return at;
}

function skipString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text.charAt(at) !== '"') at += text.charAt(at) === "\\" ? 2 : 1;
  return at + 1;
}

/** The end of the value that begins at `from`; the text is known to be JSON. */
function skipValue(text: string, from: number): number {
  const first = text.charAt(from);
  if (first === '"') return skipString(text, from);
  let at = from;
  if (first !== "{" && first !== "[") {
    while (at < text.length && !",]}".includes(text.charAt(at)) && !SPACE.has(text.charAt(at))) {
      at += 1;
    }
    return at;
  }
  let depth = 0;
  do {
    const here = text.charAt(at);
    if (here === '"') {
      at = skipString(text, at);
      continue;
    }
    if (here === "{" || here === "[") depth += 1;
    if (here === "}" || here === "]") depth -= 1;
    at += 1;
  } while (depth > 0 && at < text.length);
  return at;
}

/** The texts of the objects of a bundle, to the character; null when the text is no bundle. */
export function objectsOf(text: string): string[] | null {
  try {
    const frame: unknown = JSON.parse(text);
    if (typeof frame !== "object" || frame === null) return null;
    if ((frame as Record<string, unknown>)["type"] !== "bundle") return null;
  } catch {
    // What is no JSON is no bundle.
    return null;
  }
  const objects: string[] = [];
  let at = skipSpace(text, skipSpace(text, 0) + 1);
  while (at < text.length && text.charAt(at) === '"') {
    const end = skipString(text, at);
    const name: unknown = JSON.parse(text.slice(at, end));
    at = skipSpace(text, skipSpace(text, end) + 1);
    if (name === "objects" && text.charAt(at) === "[") {
      at = skipSpace(text, at + 1);
      while (at < text.length && text.charAt(at) !== "]") {
        const stop = skipValue(text, at);
        objects.push(text.slice(at, stop));
        at = skipSpace(text, stop);
        if (text.charAt(at) === ",") at = skipSpace(text, at + 1);
      }
      at += 1;
    } else {
      at = skipValue(text, at);
    }
    at = skipSpace(text, at);
    if (text.charAt(at) === ",") at = skipSpace(text, at + 1);
  }
  return objects;
}

interface Head {
  raw: string;
  type: string;
  id: string;
  marks: string[];
  bytes: number;
}

const encoder = new TextEncoder();

function headOf(raw: string): Head {
  const value: unknown = JSON.parse(raw);
  const object = (typeof value === "object" && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  const word = (field: unknown): string => (typeof field === "string" ? field : "");
  const list = (field: unknown): unknown[] => (Array.isArray(field) ? field : []);
  const granular = list(object["granular_markings"]).map(
    one => (one as Record<string, unknown> | null)?.["marking_ref"],
  );
  const marks = [...list(object["object_marking_refs"]), ...granular].map(word).filter(Boolean);
  const bytes = encoder.encode(JSON.stringify(raw)).length;
  return { raw, type: word(object["type"]), id: word(object["id"]), marks, bytes };
}

/** Cuts objects into acts: ends come before what relates them. */
export function cut(objects: readonly string[]): Job {
  const heads = objects.map(headOf);
  const large = heads.filter(head => head.bytes > OBJECT_BYTES);
  const held: Record<string, number> = large.length > 0 ? { "object-too-large": large.length } : {};
  const definitions = new Map(
    heads.filter(head => head.type === "marking-definition").map(head => [head.id, head.raw]),
  );
  const relates = (head: Head): boolean => ["relationship", "sighting"].includes(head.type);
  const fitting = heads.filter(head => head.bytes <= OBJECT_BYTES);
  const ordered = [...fitting.filter(head => !relates(head)), ...fitting.filter(relates)];
  const parts: Part[] = [];
  let now: string[] = [];
  let bytes = 0;
  let needed = new Set<string>();
  const close = (): void => {
    if (now.length === 0) return;
    const texts = [...needed].flatMap(id => definitions.get(id) ?? []);
    parts.push({ objects: now, definitions: texts.slice(0, DEFINITIONS_MAX) });
    now = [];
    bytes = 0;
    needed = new Set();
  };
  for (const head of ordered) {
    const own = head.marks.filter(id => definitions.has(id));
    const size = head.bytes + OBJECT_EXTRA_BYTES;
    const marks = new Set([...needed, ...own]).size;
    if (now.length === OBJECTS_MAX || bytes + size > ACT_BYTES || marks > DEFINITIONS_MAX) close();
    for (const id of own) needed.add(id);
    bytes += size;
    now.push(head.raw);
  }
  close();
  return { parts, objects: objects.length, held };
}

/** A name of bytes and settings, so that the same import given again is the same import. */
export async function nameOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(text));
  return [...new Uint8Array(digest)].map(byte => byte.toString(16).padStart(2, "0")).join("");
}
