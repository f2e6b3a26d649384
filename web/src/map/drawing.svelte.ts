// The drawing that is being made: its draft, and which of its features the map adds to.

import { Draft } from "../kernel/draft.svelte";
import { onForget } from "../kernel/forget";
import { emptyDrawing } from "./drawing";

export const draft = new Draft("drawing", emptyDrawing);

class Pen {
  /** Whether the form is open. */
  open = $state(false);
  /** The feature to which pressing the map adds; null for none. */
  aim: number | null = $state(null);

  put(): void {
    this.open = false;
    this.aim = null;
  }
}

export const pen = new Pen();
onForget(() => pen.put());
