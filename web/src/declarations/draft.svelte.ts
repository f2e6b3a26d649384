// What a declaration begins with: the words and the place of a report, until it is sent.

import { onForget } from "../kernel/forget";
import type { Markings } from "../labels/label";

/** Something that a declaration is made from, with the label under which it may be told. */
export interface Cause {
  title: string;
  place: string;
  markings: Markings;
}

class Kept {
  from: Cause | null = $state.raw(null);

  clear(): void {
    this.from = null;
  }
}

export const cause = new Kept();
onForget(() => cause.clear());
