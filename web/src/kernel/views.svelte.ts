// Saved views: a page as somebody set it up, under a name and a key, sealed on the device.

import { onForget } from "./forget";
import { router } from "./router.svelte";
import { routeOf, routeTo, type PageName } from "./route";
import { keep, kept } from "./vault";

export interface Saved {
  name: string;
  page: PageName;
  /** What the page gave; the page alone reads it. */
  state: unknown;
}

/** LIMIT: views of one person, for there are as many keys. */
export const VIEWS_MAX = 9;

interface Holder {
  read(): unknown;
  /** Takes what `read` gave, of this or an older release: it checks what it takes. */
  apply(state: unknown): void;
}

class Views {
  list: readonly Saved[] = $state.raw([]);
  #holder: Holder | null = null;
  /** The view that is being opened, until its page takes it. */
  #next: Saved | null = null;

  /** To be called by a page while it is shown; the function that it gives ends that. */
  hold(holder: Holder): () => void {
    this.#holder = holder;
    const next = this.#next;
    this.#next = null;
    if (next?.page === router.route.page && next.state !== undefined) holder.apply(next.state);
    return () => {
      if (this.#holder === holder) this.#holder = null;
    };
  }

  async load(): Promise<void> {
    const found = await kept("views").catch(() => undefined);
    if (Array.isArray(found)) this.list = found.filter(isSaved).slice(0, VIEWS_MAX);
  }

  /** Saves what is open; a view of the same name is replaced. */
  save(name: string): void {
    const { page } = router.route;
    if (page === "absent") return;
    const view = { name, page, state: this.#holder?.read() };
    const others = this.list.filter(one => one.name !== name);
    this.#set([...others, view].slice(-VIEWS_MAX));
  }

  remove(name: string): void {
    this.#set(this.list.filter(one => one.name !== name));
  }

  open(view: Saved): void {
    const here = router.route.page === view.page;
    this.#next = here ? null : view;
    router.go(routeTo(view.page));
    if (here && view.state !== undefined) this.#holder?.apply(view.state);
  }

  forget(): void {
    this.list = [];
    this.#holder = null;
    this.#next = null;
  }

  #set(list: readonly Saved[]): void {
    this.list = list;
    void keep("views", list).catch(() => undefined);
  }
}

function isSaved(one: unknown): one is Saved {
  const { name, page } = (one ?? {}) as Record<string, unknown>;
  if (typeof name !== "string" || typeof page !== "string") return false;
  return routeOf(`/${page}`).page === page;
}

export const views = new Views();
onForget(() => views.forget());
