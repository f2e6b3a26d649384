// The shared worker: one stream for all pages of one person in this browser.

import { KINDS } from "../api/records";
import type { Said } from "./live";
import { Stream } from "./stream";

const ports = new Set<MessagePort>();
const say = (said: Said): void => ports.forEach(port => port.postMessage(said));

const stream = new Stream(KINDS, {
  frames: frames => say({ type: "frames", frames }),
  heard: heard => say({ type: "heard", heard }),
});

const scope = self as unknown as SharedWorkerGlobalScope;
scope.onconnect = event => {
  const port = event.ports[0];
  if (!port) return;
  ports.add(port);
  port.onmessage = (message: MessageEvent<"leave">) => {
    if (message.data === "leave") ports.delete(port);
    if (ports.size === 0) stream.stop();
  };
  // A page that comes later missed `ready`: the stream goes on, so it may read its lists now.
  const open = stream.heard.socket === "open";
  stream.start();
  const frames: Said = { type: "frames", frames: open ? [{ type: "ready" }] : [] };
  port.postMessage(frames);
  port.postMessage({ type: "heard", heard: stream.heard } satisfies Said);
};
