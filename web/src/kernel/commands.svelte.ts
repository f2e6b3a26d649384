// The one registry of commands: keys, the palette and buttons all run these.

import { untrack } from "svelte";
import type { Keys } from "./keymap";
import { SECOND_KEY_MS, step } from "./keymap";
import { settings } from "./settings.svelte";

export type Section = "go" | "list" | "alert" | "report" | "agreement" | "seat" | "page";

export interface Command {
  id: string;
  title: string;
  section: Section;
  keys?: Keys[];
  run(): void;
  /** Why it cannot be done just now; null when it can. */
  barred?: () => string | null;
}

class Commands {
  list = $state.raw<readonly Command[]>([]);
  /** The first of two keys, while the second is awaited. */
  first = $state<string | null>(null);
  /** How many overlays lie above the page; keys of the page rest while there is one. */
  overlays = $state(0);

  #timer: ReturnType<typeof setTimeout> | null = null;

  /** Adds commands; the function that it gives takes them back. */
  add(commands: readonly Command[]): () => void {
    // Whoever adds commands does not depend on those of others.
    this.list = [...untrack(() => this.list), ...commands];
    return () => {
      this.list = this.list.filter(command => !commands.includes(command));
    };
  }

  run(id: string): void {
    // The newest of a name goes before one that an outer page gave.
    const command = this.list.findLast(c => c.id === id);
    if (command && (command.barred?.() ?? null) === null) command.run();
  }

  start(): void {
    window.addEventListener("keydown", event => this.#press(event));
  }

  #press(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.metaKey || event.isComposing) return;
    if (this.overlays > 0) return;
    const target = event.target as HTMLElement | null;
    const inField = target?.closest("input, textarea, select, [contenteditable]") ?? null;
    const takesText = inField instanceof HTMLInputElement ? !isChoice(inField) : inField !== null;
    const bound = this.list.flatMap(({ id, keys }) => (keys ?? []).map(key => ({ id, keys: key })));
    const press = {
      key: event.key,
      ctrl: event.ctrlKey,
      alt: event.altKey,
      shift: event.shiftKey,
      inField: takesText,
    };
    const meant = step(bound, press, this.first, settings.characters);
    this.#await(meant.type === "wait" ? meant.first : null);
    if (meant.type === "run") {
      event.preventDefault();
      this.run(meant.id);
    }
  }

  #await(first: string | null): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.first = first;
    if (first) this.#timer = setTimeout(() => (this.first = null), SECOND_KEY_MS);
  }
}

/** Boxes and buttons take no text: letters stay commands while one has the focus. */
function isChoice(input: HTMLInputElement): boolean {
  return ["checkbox", "radio", "button", "submit", "range"].includes(input.type);
}

export const commands = new Commands();
