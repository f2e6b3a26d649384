// Ceremonies: each a challenge of the node, an answer of the browser, and what came of it.

import { ceremony, type Outcome } from "../api/call";
import { t } from "../text";
import { answer, make, type Asked, type Made, type NewAsked } from "./passkey";

/** What became of a ceremony: a sentence when it was not done. */
export type Said = string | null;

type Words = (outcome: Outcome<unknown>) => Said;

async function made<T>(
  challengePath: string,
  asked: unknown,
  path: string,
  body: (made: Made) => unknown,
  words: Words,
): Promise<{ said: Said; value: T | null }> {
  const challenge = await ceremony<NewAsked>(challengePath, asked);
  if (!challenge.done) return { said: words(challenge), value: null };
  const passkey = await make(challenge.value, t.product);
  if (!passkey) return { said: t.identity.notMade, value: null };
  const done = await ceremony<T>(path, body(passkey));
  return { said: words(done), value: done.done ? done.value : null };
}

/** Signs in with any passkey of this node. */
export async function signIn(words: Words): Promise<Said> {
  return answered("/api/session", words);
}

/** Shows again that the person is here. */
export async function stepUp(words: Words): Promise<Said> {
  return answered("/api/me/verification", words);
}

async function answered(path: string, words: Words): Promise<Said> {
  const challenge = await ceremony<Asked>("/api/session/challenge", {});
  if (!challenge.done) return words(challenge);
  const given = await answer(challenge.value);
  if (!given) return t.identity.notAnswered;
  return words(await ceremony(path, given));
}

/** Adds a passkey of one's own. */
export async function add(name: string, words: Words): Promise<Said> {
  const path = "/api/me/credentials";
  const body = (passkey: Made): unknown => ({ name, ...passkey });
  return (await made(`${path}/challenge`, {}, path, body, words)).said;
}

/** Enrols the first passkey with a one-time code, and signs in. */
export async function enrol(code: string, name: string, words: Words): Promise<Said> {
  const body = (passkey: Made): unknown => ({ name, ...passkey });
  return (await made("/api/enrolment/challenge", { code }, "/api/enrolment", body, words)).said;
}

/** One of the first two administrators; gives how many there are now. */
export function found(
  code: string,
  name: string,
  agency: { name: string; code: string } | null,
  words: Words,
): Promise<{ said: Said; value: { administrators: number } | null }> {
  const body = (passkey: Made): unknown => ({
    name,
    passkey: { name: t.identity.firstName, ...passkey },
    ...(agency ? { agency } : {}),
  });
  return made("/api/founding/challenge", { code, name }, "/api/founding", body, words);
}
