// The webhooks of this reader's agency, and its service accounts.

import { look } from "../api/call";
import type { Page } from "../api/records";
import { store } from "../kernel/store.svelte";
import { accountsOf, ordered, webhookOf, type Account, type Webhook } from "./model";

class Webhooks {
  all: readonly Webhook[] = $derived(
    ordered([...store.rows("webhook").values()].map(webhookOf).filter(one => one !== null)),
  );
  byId = $derived(new Map(this.all.map(one => [one.id, one])));
  accounts: readonly Account[] = $state.raw([]);
  /** A secret that was just made: it is shown until its page is left. */
  made: { id: string; secret: string } | null = $state.raw(null);

  async readAccounts(): Promise<void> {
    const done = await look<Page>("/api/credentials?limit=200");
    if (done.done) this.accounts = accountsOf(done.value.items);
  }

  nameOf(account: string | undefined): string | null {
    return this.accounts.find(one => one.id === account)?.name ?? null;
  }
}

export const webhooks = new Webhooks();
