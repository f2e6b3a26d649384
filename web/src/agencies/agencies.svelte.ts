// The agencies of this reader as a tree, read once for every part of the screen.

import { bodyOf, type AgencyBody } from "../api/records";
import { store } from "../kernel/store.svelte";
import { treeOf } from "./model";

class Agencies {
  all = $derived(
    [...store.rows("agency").values()].flatMap(rendition => {
      const base = rendition.layers[0];
      if (!base) return [];
      const { name = "", code = "", parent = null } = bodyOf<AgencyBody>(base);
      return [{ id: rendition.id, name, code, parent, label: base.label, mark: base.mark }];
    }),
  );
  sorted = $derived(this.all.toSorted((a, b) => a.name.localeCompare(b.name)));
  byId = $derived(new Map(this.all.map(agency => [agency.id, agency])));
  /** Each agency below the one it is part of. */
  tree = $derived(treeOf(this.all));
}

export const agencies = new Agencies();
