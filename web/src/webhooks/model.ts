// What a webhook is to an administrator: where it points, and how its deliveries stand.

import { bodyOf, type Rendition } from "../api/records";
import type { Label } from "../labels/label";
import type { Status } from "../ui/status";

export interface WebhookBody {
  service?: string;
  url?: string;
  kinds?: string[];
  what?: string[];
  registered_by?: string | null;
  registered_at?: string;
  keyed_by?: string | null;
  keyed_at?: string;
  failing_since?: string;
  paused_at?: string;
  resumed_by?: string | null;
  resumed_at?: string;
  removed_by?: string | null;
  removed_at?: string;
}

export interface Webhook {
  id: string;
  label: Label;
  mark: string;
  state: string;
  body: WebhookBody;
}

/** Reads a rendition; null for one without a layer. */
export function webhookOf(rendition: Rendition): Webhook | null {
  const base = rendition.layers[0];
  if (!base) return null;
  const { label, mark } = base;
  const body = bodyOf<WebhookBody>(base);
  return { id: rendition.id, label, mark, state: rendition.state ?? "", body };
}

export interface Outcome {
  at: string;
  status: number | null;
  fault: string | null;
}

/** How deliveries stand. */
export interface Outbox {
  /** Why nothing may be sent to its address. */
  refused: string | null;
  account_ended: boolean;
  /** Null for whoever is cleared for less than the account. */
  deliveries: {
    last: Outcome | null;
    failing_since: string | null;
    tries: number;
    next_try_at: string | null;
    waiting: number;
    more: boolean;
  } | null;
}

export type WebhookWord =
  "keyless" | "active" | "failing" | "barred" | "paused" | "removed" | "unknown";

const STATES: Record<WebhookWord, Status> = {
  keyless: "standby",
  active: "normal",
  failing: "serious",
  barred: "serious",
  paused: "critical",
  removed: "off",
  unknown: "off",
};

/** How a webhook stands; its outbox, when it is known, tells what its record does not. */
export function stateOf(
  of: Webhook,
  outbox: Outbox | null = null,
): { status: Status; word: WebhookWord } {
  const words = Object.keys(STATES) as WebhookWord[];
  let word = words.find(one => one === of.state) ?? "unknown";
  if (word === "active" && outbox) {
    if (outbox.refused || outbox.account_ended) word = "barred";
    else if (outbox.deliveries?.failing_since) word = "failing";
  }
  return { status: STATES[word], word };
}

/** Those that live first, then the newest. */
export function ordered(all: readonly Webhook[]): Webhook[] {
  const rank = (one: Webhook): number => (one.state === "removed" ? 1 : 0);
  const at = ({ body }: Webhook): string => body.registered_at ?? "";
  return [...all].sort((a, b) => rank(a) - rank(b) || at(b).localeCompare(at(a)));
}

/** Whether an address may be one: the node looks at it again, and at its own list. */
export function plausible(url: string): boolean {
  return /^https:\/\/[^\s/@#]+(\/\S*)?$/.test(url) || /^http:\/\/(127\.|\[::1\])\S+$/.test(url);
}

/** A service account of one's own agency. */
export interface Account {
  id: string;
  name: string;
  kinds: string[];
  active: boolean;
}

/** The service accounts among an agency's credentials. */
export function accountsOf(items: readonly Rendition[]): Account[] {
  return items.flatMap(({ id, state, layers }) => {
    const body = (layers[0]?.body ?? {}) as { type?: string; name?: string; kinds?: string[] };
    if (body.type !== "service") return [];
    return [{ id, name: body.name ?? "", kinds: body.kinds ?? [], active: state === "active" }];
  });
}
