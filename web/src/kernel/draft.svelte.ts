// A draft: it outlives the page it is typed on, and the browser's crash, and goes when it was sent.

import { newKey } from "../api/call";
import { onForget } from "./forget";
import { keep, kept } from "./vault";

/** Milliseconds after the last change until it is kept. */
const KEEP_AFTER_MS = 400;

interface OnDevice<T> {
  draft: T;
  key: string;
  of: string;
}

export class Draft<T> {
  now: T = $state() as T;
  /** The key of this content: a repetition of it counts once, anything else is another act. */
  #key = newKey();
  #of = "";
  #untouched = "";
  readonly #name: string;
  readonly #empty: () => T;
  #later: ReturnType<typeof setTimeout> | undefined;

  constructor(name: string, empty: () => T) {
    this.#name = `draft/${name}`;
    this.#empty = empty;
    this.now = empty();
    this.#untouched = JSON.stringify(this.now);
    onForget(() => this.#drop());
  }

  keyFor(command: unknown): string {
    const content = JSON.stringify(command);
    if (content !== this.#of) {
      this.#of = content;
      this.#key = newKey();
      void this.#keep();
    }
    return this.#key;
  }

  /** Whether anything was typed. */
  get touched(): boolean {
    return JSON.stringify(this.now) !== this.#untouched;
  }

  /** To be called where the draft is shown: keeps what changes, and brings back what was kept. */
  hold(): void {
    $effect(() => {
      JSON.stringify(this.now);
      clearTimeout(this.#later);
      this.#later = setTimeout(() => void this.#keep(), KEEP_AFTER_MS);
    });
    if (!this.touched) void this.#bringBack();
  }

  clear(): void {
    this.#drop();
    void keep(this.#name, undefined).catch(() => undefined);
  }

  async #bringBack(): Promise<void> {
    const found = (await kept(this.#name).catch(() => undefined)) as OnDevice<T> | undefined;
    if (!found || this.touched) return;
    // A field that came later than the draft was kept has its empty value.
    this.now = { ...this.#empty(), ...found.draft };
    this.#key = found.key;
    this.#of = found.of;
  }

  async #keep(): Promise<void> {
    const value: OnDevice<unknown> | undefined = this.touched
      ? { draft: $state.snapshot(this.now), key: this.#key, of: this.#of }
      : undefined;
    await keep(this.#name, value).catch(() => undefined);
  }

  #drop(): void {
    clearTimeout(this.#later);
    this.now = this.#empty();
    this.#untouched = JSON.stringify(this.now);
    this.#of = "";
  }
}
