// The webhooks of this reader's agency, and its service accounts.

import { look } from "../api/call";
import type { Page } from "../api/records";
import { store } from "../kernel/store.svelte";
import { accountsOf, ordered, webhookOf } from "./model";
import type { Account, Outbox, Webhook } from "./model";

/** LIMIT: pages of credentials that are looked through for accounts. */
const PAGES = 20;

class Webhooks {
  all: readonly Webhook[] = $derived(
    ordered([...store.rows("webhook").values()].map(webhookOf).filter(one => one !== null)),
  );
  byId = $derived(new Map(this.all.map(one => [one.id, one])));
  accounts: readonly Account[] = $state.raw([]);
  /** How deliveries stand, as far as it was asked. */
  outboxes: Readonly<Record<string, Outbox>> = $state.raw({});
  /** A secret that was just made: it is shown until its page is left. */
  made: { id: string; secret: string } | null = $state.raw(null);

  /** Reads the accounts, which stand among the sessions of the agency's people. */
  async readAccounts(): Promise<void> {
    const found: Account[] = [];
    let next: string | null = null;
    for (let page = 0; page < PAGES; page += 1) {
      const cursor: string = next === null ? "" : `&cursor=${encodeURIComponent(next)}`;
      const done = await look<Page>(`/api/credentials?limit=200${cursor}`);
      if (!done.done) return;
      found.push(...accountsOf(done.value.items));
      next = done.value.next ?? null;
      if (next === null) break;
    }
    this.accounts = found;
  }

  /** Asks how the deliveries of a webhook stand. */
  async readOutbox(id: string): Promise<void> {
    const done = await look<Outbox>(`/api/webhooks/${id}/outbox`);
    if (done.done) this.outboxes = { ...this.outboxes, [id]: done.value };
  }

  nameOf(account: string | undefined): string | null {
    return this.accounts.find(one => one.id === account)?.name ?? null;
  }
}

export const webhooks = new Webhooks();
