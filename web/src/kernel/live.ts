// A page's end of the live stream.

import { KINDS } from "../api/records";
import type { Heard } from "./link";
import workerUrl from "./live.worker?sharedworker&url";
import type { Frame } from "./records";
import { Stream, type Ears } from "./stream";

/** What the worker says to a page. */
export type Said = { type: "frames"; frames: Frame[] } | { type: "heard"; heard: Heard };

/** Listens to the stream of a person, until the function that it gives is called. */
export function listen(person: string, ears: Ears): () => void {
  if (typeof SharedWorker === "undefined") return alone(ears);
  // The name keeps two people who follow each other in one browser apart.
  const worker = new SharedWorker(workerUrl, { type: "module", name: `muster-live-${person}` });
  let stop = (): void => {
    worker.port.postMessage("leave");
    worker.port.close();
  };
  worker.onerror = () => {
    // A browser that forbids the worker still gets its own stream.
    worker.port.close();
    stop = alone(ears);
  };
  worker.port.onmessage = (message: MessageEvent<Said>) => {
    const said = message.data;
    if (said.type === "frames") ears.frames(said.frames);
    else ears.heard(said.heard);
  };
  const leave = (): void => stop();
  addEventListener("pagehide", leave);
  return () => {
    removeEventListener("pagehide", leave);
    stop();
  };
}

function alone(ears: Ears): () => void {
  const stream = new Stream(KINDS, ears);
  stream.start();
  return () => stream.stop();
}
