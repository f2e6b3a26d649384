// Webhooks: what a webhook is to a reader. Pages stand beside this file.

import type { Rendition } from "../api/records";

/** The path of the list, as in the address. */
export const path = "/webhooks";

export interface Webhook {
  rendition: Rendition;
  id: string;
  mark: string;
  /** Absent when it was erased. */
  title: string | undefined;
}

/** Reads a rendition; null for one without a layer. */
export function readWebhook(rendition: Rendition): Webhook | null {
  const base = rendition.layers[0];
  if (!base) return null;
  const said: unknown = base.body["title"];
  const title = typeof said === "string" ? said : undefined;
  return { rendition, id: rendition.id, mark: base.mark, title };
}
