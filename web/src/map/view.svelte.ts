// Where the common picture is looked at: it stays while pages change, and stands in no address.

import type { Position } from "../kernel/coordinates";
import { onForget } from "../kernel/forget";
import { router } from "../kernel/router.svelte";

class View {
  /** A place that was asked for, until the map has gone there. */
  wanted: Position | null = $state.raw(null);
}

export const view = new View();
onForget(() => (view.wanted = null));

/** Opens the map at a place. */
export function lookAt(place: Position): void {
  view.wanted = { lat: place.lat, lon: place.lon };
  router.go({ page: "map", id: null });
}
