// The register of what is shown: every labelled thing joins it while it is on the screen.
//
// INVARIANT: the banner is at least as high as every portion shown. It rises at once; it falls only
// when nothing is on its way from the node, so that no answer finds it too low.

import { untrack } from "svelte";
import { joinLabels, type Label } from "./label";

class Register {
  /** The join of everything that is shown; null when nothing labelled is. */
  banner = $state.raw<Label | null>(null);

  #shown = new Map<string, { label: Label; times: number }>();
  #flying = 0;
  #planned = false;

  /** Takes a label while what bears it is shown; the function that it gives takes it back. */
  show(label: Label): () => void {
    const key = JSON.stringify([label.markings, label.play]);
    const known = this.#shown.get(key);
    if (known) {
      known.times += 1;
    } else {
      this.#shown.set(key, { label, times: 1 });
      const before = untrack(() => this.banner);
      this.banner = joinLabels(before ? [before, label] : [label]);
    }
    return () => {
      const shown = this.#shown.get(key);
      if (!shown) return;
      shown.times -= 1;
      if (shown.times === 0) {
        this.#shown.delete(key);
        this.#plan();
      }
    };
  }

  /** A request is on its way; the function that it gives says that it has come back. */
  fly(): () => void {
    this.#flying += 1;
    let back = false;
    return () => {
      if (back) return;
      back = true;
      this.#flying -= 1;
      this.#plan();
    };
  }

  /** Writes the banner anew: the words of the schemes have changed. */
  refresh(): void {
    if (this.banner) this.banner = { ...this.banner };
  }

  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    // What an answer brings is drawn first, then the banner is looked at.
    setTimeout(() => {
      this.#planned = false;
      if (this.#flying > 0) return;
      this.banner = joinLabels([...this.#shown.values()].map(shown => shown.label));
    }, 50);
  }
}

export const register = new Register();
