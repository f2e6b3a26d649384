// Rows of a list by keyboard: j and k, arrows, Home and End move the focus; Enter opens.

import { commands } from "../kernel/commands.svelte";
import { t } from "../text";

/** What a list does besides moving. */
export interface RowsOf {
  /** A row got the focus by a key. */
  moved?: (row: HTMLElement) => void;
  /** A row was opened by Enter; the row's own link has been followed by then. */
  opened?: (row: HTMLElement) => void;
}

const rowsIn = (node: HTMLElement): HTMLElement[] => [
  ...node.querySelectorAll<HTMLElement>("[data-row]"),
];

function reach(node: HTMLElement, row: HTMLElement | undefined, of: RowsOf): void {
  if (!row) return;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  tabStop(node, row);
  of.moved?.(row);
}

/** Only one row is a stop of the Tab key: the rest is reached by arrows. */
function tabStop(node: HTMLElement, row: HTMLElement | undefined): void {
  const rows = rowsIn(node);
  const stop = row ?? rows.find(r => r.getAttribute("aria-current") === "true") ?? rows[0];
  for (const other of rows) other.tabIndex = other === stop ? 0 : -1;
}

/** Makes the `[data-row]` elements of a node a list that keys move in. */
export function rows(
  node: HTMLElement,
  of: RowsOf = {},
): { update(of: RowsOf): void; destroy(): void } {
  let given = of;
  const current = (): number => {
    const all = rowsIn(node);
    const focused = all.findIndex(row => row.contains(document.activeElement));
    return focused >= 0
      ? focused
      : all.findIndex(row => row.getAttribute("aria-current") === "true");
  };
  const by = (steps: number): void => {
    const all = rowsIn(node);
    const at = current();
    const to = at < 0 ? (steps > 0 ? 0 : all.length - 1) : at + steps;
    reach(node, all[Math.max(0, Math.min(all.length - 1, to))], given);
  };
  const press = (event: KeyboardEvent): void => {
    const all = rowsIn(node);
    const row = event.target instanceof Element ? event.target.closest("[data-row]") : null;
    if (!(row instanceof HTMLElement)) return;
    if (event.key === "Enter") setTimeout(() => given.opened?.(row));
    const steps: Record<string, () => void> = {
      ArrowDown: () => by(1),
      ArrowUp: () => by(-1),
      Home: () => reach(node, all[0], given),
      End: () => reach(node, all.at(-1), given),
    };
    const move = event.ctrlKey || event.altKey || event.shiftKey ? undefined : steps[event.key];
    if (move) {
      event.preventDefault();
      move();
    }
  };
  node.addEventListener("keydown", press);
  const watch = new MutationObserver(() => {
    const focused = document.activeElement?.closest<HTMLElement>("[data-row]");
    tabStop(node, focused && node.contains(focused) ? focused : undefined);
  });
  watch.observe(node, { childList: true, subtree: true });
  tabStop(node, undefined);
  const remove = commands.add([
    {
      id: "list.next",
      title: t.command.next,
      section: "list",
      keys: ["j"],
      run: () => by(1),
    },
    {
      id: "list.previous",
      title: t.command.previous,
      section: "list",
      keys: ["k"],
      run: () => by(-1),
    },
  ]);
  return {
    update(next) {
      given = next;
    },
    destroy() {
      node.removeEventListener("keydown", press);
      watch.disconnect();
      remove();
    },
  };
}
