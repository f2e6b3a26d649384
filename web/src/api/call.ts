// Calls to the node: typed by its document, and never more than an outcome.

import createClient from "openapi-fetch";
import { register } from "../labels/register.svelte";
import { faultOf, faultOfError, type Fault } from "./problem";
import type { Accepted, Kind, Me, Page, Rendition } from "./records";
import type { paths } from "./types";

export type Outcome<T> = { done: true; value: T } | { done: false; fault: Fault };

/** How long an answer may take. */
const PATIENCE_MS = 15_000;
/** Records of one page of a list. */
export const PAGE_RECORDS = 200;

const client = createClient<paths>({
  baseUrl: location.origin,
  // The banner does not fall while an answer is on its way.
  fetch: async request => {
    const back = register.fly();
    try {
      return await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS), cache: "no-store" });
    } finally {
      back();
    }
  },
});

let onSignedOut: () => void = () => {};

/** Says what is to happen when an answer shows that the session has ended. */
export function whenSignedOut(then: () => void): void {
  onSignedOut = then;
}

interface Answer {
  data?: unknown;
  error?: unknown;
  response: Response;
}

async function outcome<T>(asked: Promise<Answer>): Promise<Outcome<T>> {
  try {
    const { data, error, response } = await asked;
    if (response.ok) return { done: true, value: data as T };
    if (response.status === 401) onSignedOut();
    return { done: false, fault: faultOf(response.status, error) };
  } catch (error) {
    return { done: false, fault: faultOfError(error) };
  }
}

const LISTS = {
  alert: "/api/alerts",
  report: "/api/reports",
  agreement: "/api/agreements",
  person: "/api/people",
  agency: "/api/agencies",
  inquiry: "/api/inquiries",
  entity: "/api/entities",
  declaration: "/api/declarations",
  operation: "/api/operations",
  plan: "/api/plans",
  handover: "/api/roster",
  watch: "/api/watches",
  drawing: "/api/drawings",
  query: "/api/queries",
  erasure: "/api/erasures",
  webhook: "/api/webhooks",
} as const;

const RECORDS = {
  alert: "/api/alerts/{id}",
  report: "/api/reports/{id}",
  agreement: "/api/agreements/{id}",
  person: "/api/people/{id}",
  agency: "/api/agencies/{id}",
  inquiry: "/api/inquiries/{id}",
  entity: "/api/entities/{id}",
  declaration: "/api/declarations/{id}",
  operation: "/api/operations/{id}",
  plan: "/api/plans/{id}",
  handover: "/api/roster/{id}",
  watch: "/api/watches/{id}",
  drawing: "/api/drawings/{id}",
  query: "/api/queries/{id}",
  erasure: "/api/erasures/{id}",
  webhook: "/api/webhooks/{id}",
} as const;

/** Who is signed in; a 401 is an answer here, and tells nobody. */
export async function me(): Promise<Outcome<Me>> {
  try {
    const { data, error, response } = (await client.GET("/api/me")) as Answer;
    if (response.ok) return { done: true, value: data as Me };
    return { done: false, fault: faultOf(response.status, error) };
  } catch (error) {
    return { done: false, fault: faultOfError(error) };
  }
}

/** A page of a list, newest first. */
export function list(kind: Kind, cursor: string | null): Promise<Outcome<Page>> {
  const query = { limit: PAGE_RECORDS, ...(cursor === null ? {} : { cursor }) };
  return outcome<Page>(client.GET(LISTS[kind], { params: { query } }) as Promise<Answer>);
}

/** One record. */
export function record(kind: Kind, id: string): Promise<Outcome<Rendition>> {
  const asked = client.GET(RECORDS[kind], { params: { path: { id } } });
  return outcome<Rendition>(asked as Promise<Answer>);
}

type Command = Record<string, unknown>;

/** Addresses of acts without an id. */
export type ActPath =
  | "/api/alerts"
  | "/api/reports"
  | "/api/reports/requests"
  | "/api/agreements"
  | "/api/people"
  | "/api/agencies"
  | "/api/declarations"
  | "/api/operations"
  | "/api/entities"
  | "/api/inquiries"
  | "/api/roster"
  | "/api/watches"
  | "/api/drawings"
  | "/api/queries"
  | "/api/services"
  | "/api/spillages"
  | "/api/erasures"
  | "/api/webhooks"
  | "/api/plans"
  | "/api/plans/proposals";
/** Addresses of acts upon a record. */
export type ActOnPath =
  | "/api/alerts/{id}/acknowledgements"
  | "/api/alerts/{id}/cancellation"
  | "/api/reports/{id}/releases"
  | "/api/reports/{id}/withdrawals"
  | "/api/reports/{id}/downgrades"
  | "/api/reports/{id}/downgrades/signature"
  | "/api/reports/{id}/downgrades/refusal"
  | "/api/agreements/{id}/signatures"
  | "/api/agreements/{id}/suspension"
  | "/api/agreements/{id}/resumption"
  | "/api/seats/{id}/holder"
  | "/api/credentials/{id}/name"
  | "/api/credentials/{id}/removal"
  | "/api/people/{id}/enrolment"
  | "/api/enrolments/{id}/confirmation"
  | "/api/people/{id}/sessions/revocation"
  | "/api/services/{id}/revocation"
  | "/api/declarations/{id}/performance"
  | "/api/declarations/{id}/end"
  | "/api/operations/{id}/notes"
  | "/api/operations/{id}/closure"
  | "/api/operations/{id}/departures"
  | "/api/roster/{id}/signature"
  | "/api/watches/{id}/cancellation"
  | "/api/drawings/{id}/revision"
  | "/api/queries/{id}/seen"
  | "/api/queries/{id}/removal"
  | "/api/drawings/{id}/withdrawal"
  | "/api/roster/{id}/withdrawal"
  | "/api/erasures/{id}/approval"
  | "/api/erasures/{id}/refusal"
  | "/api/webhooks/{id}/resumption"
  | "/api/webhooks/{id}/removal"
  | "/api/plans/{id}/approval"
  | "/api/plans/{id}/revision"
  | "/api/plans/{id}/withdrawal"
  | "/api/operations/{id}/agencies"
  | "/api/operations/{id}/roles"
  | "/api/operations/{id}/course"
  | "/api/reports/{id}/revisions";

/** Acts; `key` makes a repetition of the same act count once. */
export function act(path: ActPath, key: string, body: Command): Promise<Outcome<Accepted>> {
  const params = { header: { "Idempotency-Key": key } };
  return outcome<Accepted>(client.POST(path, { params, body }) as Promise<Answer>);
}

/** Asks with a body: what an act would meet, who reads what; nothing is written. */
export function ask<T>(
  path: "/api/reports/preview" | "/api/entities/preview" | "/api/agreements/replay" | "/api/why",
  body: Command,
): Promise<Outcome<T>> {
  return outcome<T>(client.POST(path, { body }) as Promise<Answer>);
}

/** Media types that the node takes; what else a browser calls a file goes as plain bytes. */
const MEDIA =
  /^(application\/pdf|audio\/(mpeg|wav)|image\/(jpeg|png)|text\/(csv|plain)|video\/mp4)$/;
/** How long an upload may take. */
const UPLOAD_MS = 300_000;

/** Uploads a file; `attachment` of the answer is handed in with a command. */
export async function upload(file: File): Promise<Outcome<{ attachment: string }>> {
  const media = MEDIA.test(file.type) ? file.type : "application/octet-stream";
  const query = new URLSearchParams({ name: file.name }).toString();
  const back = register.fly();
  try {
    const response = await fetch(`/api/attachments?${query}`, {
      method: "POST",
      headers: { "content-type": media },
      body: file,
      signal: AbortSignal.timeout(UPLOAD_MS),
    });
    const body: unknown = await response.json();
    if (response.ok) return { done: true, value: body as { attachment: string } };
    if (response.status === 401) onSignedOut();
    return { done: false, fault: faultOf(response.status, body) };
  } catch (error) {
    return { done: false, fault: faultOfError(error) };
  } finally {
    back();
  }
}

/** The address of a file that a portion names. */
export const attachmentPath = (id: string, digest: string): string =>
  `/api/reports/${id}/attachments/${digest}`;

/** Acts upon a record. */
export function actOn(
  path: ActOnPath,
  id: string,
  key: string,
  body: Command,
): Promise<Outcome<Accepted>> {
  const params = { path: { id }, header: { "Idempotency-Key": key } };
  return outcome<Accepted>(client.POST(path, { params, body }) as Promise<Answer>);
}

/** What is related to an entity; the type is that of the page that asks. */
export function related<T>(id: string): Promise<Outcome<T>> {
  const asked = client.GET("/api/entities/{id}/related", { params: { path: { id } } });
  return outcome<T>(asked as Promise<Answer>);
}

/** Why one reads a record; the type is that of the page that asks. */
export function why<T>(kind: "alert" | "report", id: string): Promise<Outcome<T>> {
  const params = { path: { id } };
  const asked =
    kind === "alert"
      ? client.GET("/api/alerts/{id}/why", { params })
      : client.GET("/api/reports/{id}/why", { params });
  return outcome<T>(asked as Promise<Answer>);
}

/** A page of what a search finds; the type is that of the page that asks. */
export function search<T>(q: string, cursor: string | null): Promise<Outcome<T>> {
  const query = cursor === null ? { q } : { q, cursor };
  return outcome<T>(client.GET("/api/search", { params: { query } }) as Promise<Answer>);
}

/** What is found of an inquiry; the type is that of the page that asks. */
export function findings<T>(id: string): Promise<Outcome<T>> {
  const asked = client.GET("/api/inquiries/{id}/findings", { params: { path: { id } } });
  return outcome<T>(asked as Promise<Answer>);
}

/** Entries of the ledger, newest first, from a place on. */
export function ledger<T>(before: number | null): Promise<Outcome<T>> {
  const params = { query: before === null ? {} : { before: String(before) } };
  return outcome<T>(client.GET("/api/ledger", { params }) as Promise<Answer>);
}

/** The proof of an entry. */
export function proof<T>(id: string): Promise<Outcome<T>> {
  const asked = client.GET("/api/ledger/{id}/proof", { params: { path: { id } } });
  return outcome<T>(asked as Promise<Answer>);
}

/** Ends the session. */
export function signOut(): Promise<Outcome<unknown>> {
  return outcome(client.POST("/api/me/departure") as Promise<Answer>);
}

/** One step of a ceremony, or what the node keeps of it; a 401 is an answer here. */
export async function ceremony<T>(path: string, body: unknown): Promise<Outcome<T>> {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": newKey() };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  return plain<T>(path, init);
}

/** Reads something of identity that is no record. */
export const look = <T>(path: string): Promise<Outcome<T>> => plain<T>(path, {});

async function plain<T>(path: string, init: RequestInit): Promise<Outcome<T>> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(path, { ...init, signal, cache: "no-store" });
    const text = await response.text();
    const value: unknown = text === "" ? null : JSON.parse(text);
    if (response.ok) return { done: true, value: value as T };
    return { done: false, fault: faultOf(response.status, value) };
  } catch (error) {
    return { done: false, fault: faultOfError(error) };
  }
}

/** A new idempotency key. */
export const newKey = (): string => crypto.randomUUID();

/** Whether the node's document names an address: what an older node lacks is not asked for. */
export async function offers(path: string): Promise<boolean> {
  const asked = await outcome<{ paths?: Record<string, unknown> }>(
    client.GET("/api/openapi.json") as Promise<Answer>,
  );
  return asked.done && asked.value.paths !== undefined && path in asked.value.paths;
}

/** Something that the node may offer and the document of this client does not know yet. */
export async function optional<T>(path: string): Promise<T | null> {
  const back = register.fly();
  try {
    const response = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
    return response.ok ? ((await response.json()) as T) : null;
  } catch {
    // What is optional may be missing; the copy that came with the client serves.
    return null;
  } finally {
    back();
  }
}

/** How much of what one's standing queries find is new. */
export function news<T>(): Promise<Outcome<T>> {
  return outcome<T>(client.GET("/api/queries/news") as Promise<Answer>);
}

/** A page of what a standing query finds; the type is that of the page that asks. */
export function queryHits<T>(id: string, cursor: string | null): Promise<Outcome<T>> {
  const query = cursor === null ? {} : { cursor };
  const asked = client.GET("/api/queries/{id}/hits", { params: { path: { id }, query } });
  return outcome<T>(asked as Promise<Answer>);
}

/** The key under which this person's drafts are kept on a device: 32 bytes in base64url. */
export function deviceKey(): Promise<Outcome<{ key: string }>> {
  return outcome<{ key: string }>(client.GET("/api/me/device-key") as Promise<Answer>);
}
