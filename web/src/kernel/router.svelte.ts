// Where the reader is: the address decides, links and keys change it.

import { t } from "../text";
import { pathOf, routeOf, type Route } from "./route";

export type Trace = "push" | "replace";

class Router {
  route = $state.raw<Route>(routeOf(location.pathname));

  go(route: Route, trace: Trace = "push"): void {
    const path = pathOf(route);
    if (path !== location.pathname) {
      if (trace === "push") history.pushState(null, "", path);
      else history.replaceState(null, "", path);
    }
    this.route = route;
  }

  start(): void {
    addEventListener("popstate", () => (this.route = routeOf(location.pathname)));
    document.addEventListener("click", event => this.#follow(event));
  }

  /** Follows links to our own pages without leaving this one. */
  #follow(event: MouseEvent): void {
    const { target, button, ctrlKey, metaKey, shiftKey, altKey, defaultPrevented } = event;
    if (defaultPrevented || button !== 0 || ctrlKey || metaKey || shiftKey || altKey) return;
    const link = target instanceof Element ? target.closest("a") : null;
    if (!link || link.target || link.hasAttribute("download")) return;
    if (link.origin !== location.origin || link.dataset["leave"] !== undefined) return;
    event.preventDefault();
    this.go(routeOf(link.pathname), link.dataset["replace"] === undefined ? "push" : "replace");
  }
}

export const router = new Router();

/** The title of the window: the sort of page and no more, for it reaches logs and histories. */
export function titleOf(route: Route): string {
  return `${t.product} — ${t.page[route.page]}`;
}
