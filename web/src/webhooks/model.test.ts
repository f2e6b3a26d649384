// Webhooks: how one stands, and which addresses may be one.

import { expect, test } from "vitest";
import type { Rendition } from "../api/records";
import type { Label } from "../labels/label";
import { accountsOf, ordered, plausible, stateOf, type Outbox, type Webhook } from "./model";

const label: Label = { markings: {}, originators: ["a"], play: "live" };
const hook = (state: string, at = "2026-11-22T12:00:00.000Z"): Webhook => ({
  id: at,
  label,
  mark: "(O)",
  state,
  body: { registered_at: at },
});
const outbox = (more: Partial<Outbox>): Outbox => ({
  refused: null,
  account_ended: false,
  deliveries: null,
  ...more,
});

test("the outbox tells what the record does not", () => {
  expect(stateOf(hook("active")).word).toBe("active");
  expect(stateOf(hook("active"), outbox({})).word).toBe("active");
  expect(stateOf(hook("active"), outbox({ refused: "webhook-not-listed" })).word).toBe("barred");
  expect(stateOf(hook("active"), outbox({ account_ended: true })).word).toBe("barred");
  const deliveries = {
    last: null,
    failing_since: "2026-11-22T12:00:00.000Z",
    tries: 1,
    next_try_at: null,
    waiting: 1,
    more: false,
  };
  expect(stateOf(hook("active"), outbox({ deliveries }))).toEqual({
    status: "serious",
    word: "failing",
  });
  expect(stateOf(hook("paused"), outbox({ deliveries })).word).toBe("paused");
  expect(stateOf(hook("removed"), outbox({ refused: "x" })).word).toBe("removed");
  expect(stateOf(hook("other")).word).toBe("unknown");
});

test("what lives stands first, then the newest", () => {
  const [old, gone, fresh] = [
    hook("active", "2026-11-20T12:00:00.000Z"),
    hook("removed", "2026-11-23T12:00:00.000Z"),
    hook("paused", "2026-11-22T12:00:00.000Z"),
  ];
  expect(ordered([old!, gone!, fresh!])).toEqual([fresh, old, gone]);
});

test("an address is https, or http to this machine", () => {
  for (const url of ["https://hooks.example/x", "https://a.example:8443", "http://127.0.0.1:9/"]) {
    expect(plausible(url), url).toBe(true);
  }
  for (const url of ["", "hooks.example", "http://hooks.example/", "https://a@b/", "https://a b"]) {
    expect(plausible(url), url).toBe(false);
  }
});

test("accounts are the services among the credentials", () => {
  const of = (state: string, body: Record<string, unknown>): Rendition =>
    ({ id: "s", state, layers: [{ body }] }) as unknown as Rendition;
  const found = accountsOf([
    of("active", { type: "passkey", name: "Ring" }),
    of("revoked", { type: "service", name: "Dispatch", kinds: ["alert"] }),
  ]);
  expect(found).toEqual([{ id: "s", name: "Dispatch", kinds: ["alert"], active: false }]);
});
