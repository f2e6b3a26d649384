// What lies above the page: the page below is inert, the banners are not covered.

import { untrack } from "svelte";
import { commands } from "../kernel/commands.svelte";

/** The place in the document for what lies above the page. */
export const OVERLAYS = "muster-overlays";

const FOCUSABLE = "a[href], button:not(:disabled), input:not(:disabled), select, textarea";

/** Lifts a node above the page while it exists, gives it the focus, and gives the focus back. */
export function lifted(node: HTMLElement): { destroy(): void } {
  const before = document.activeElement;
  document.getElementById(OVERLAYS)?.append(node);
  untrack(() => (commands.overlays += 1));
  const first =
    node.querySelector<HTMLElement>("[data-first]") ?? node.querySelector<HTMLElement>(FOCUSABLE);
  queueMicrotask(() => (first ?? node).focus());
  return {
    destroy() {
      commands.overlays -= 1;
      node.remove();
      // The page is inert until the count has reached the screen.
      setTimeout(() => {
        const held = document.activeElement;
        if (held && held !== document.body) return;
        if (before instanceof HTMLElement && before.isConnected) before.focus();
        else document.getElementById("content")?.focus();
      });
    },
  };
}
