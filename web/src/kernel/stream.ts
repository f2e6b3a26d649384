// The live stream: one WebSocket, kept open, and what it says in batches.
//
// It runs in a shared worker, or in the page where there is none. It keeps no record: what a reader
// may see is read from the lists by each page, and forgotten with it.

import { backOffMs, BEAT_MS, STALE_MS, type Heard } from "./link";
import type { Frame } from "./records";

/** Who listens to a stream. */
export interface Ears {
  frames(frames: Frame[]): void;
  heard(heard: Heard): void;
}

/** Milliseconds in which frames are put together; the first of a batch waits for none. */
const BATCH_MS = 100;
/** How often the stream looks after itself. */
const LOOK_MS = 1_000;
/** How long a sign of life may take. */
const PATIENCE_MS = 4_000;

export class Stream {
  #socket: WebSocket | null = null;
  #heard: Heard = { socket: "closed", at: null };
  /** Where the stream stands: the next one goes on from there. */
  #cursor: string | null = null;
  #attempt = 0;
  #asking = false;
  #batch: Frame[] = [];
  #flush: ReturnType<typeof setTimeout> | null = null;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #look: ReturnType<typeof setInterval> | null = null;

  constructor(
    readonly kinds: readonly string[],
    readonly ears: Ears,
  ) {}

  get heard(): Heard {
    return this.#heard;
  }

  start(): void {
    if (this.#look) return;
    this.#look = setInterval(() => void this.#lookAfter(), LOOK_MS);
    globalThis.addEventListener?.("online", this.#hurry);
    this.#open();
  }

  stop(): void {
    if (this.#look) clearInterval(this.#look);
    if (this.#retry) clearTimeout(this.#retry);
    this.#look = this.#retry = null;
    globalThis.removeEventListener?.("online", this.#hurry);
    this.#close();
    this.#tell({ socket: "closed", at: this.#heard.at });
  }

  #hurry = (): void => {
    if (this.#retry) clearTimeout(this.#retry);
    this.#retry = null;
    if (!this.#socket) this.#open();
  };

  #open(): void {
    const url = new URL("/api/live", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#tell({ socket: "connecting", at: this.#heard.at });
    socket.onopen = () => socket.send(JSON.stringify({ watch: this.kinds, since: this.#cursor }));
    socket.onmessage = message => this.#take(socket, message.data);
    socket.onclose = () => this.#lost(socket);
  }

  #close(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  #take(socket: WebSocket, data: unknown): void {
    if (socket !== this.#socket || typeof data !== "string") return;
    const frame = JSON.parse(data) as Frame;
    this.#attempt = 0;
    this.#tell({ socket: "open", at: Date.now() });
    if (frame.type === "at") {
      this.#cursor = frame.cursor;
    } else if (frame.type === "signed_out") {
      this.#cursor = null;
      this.#push(frame);
      this.stop();
    } else {
      this.#push(frame);
    }
  }

  #push(frame: Frame): void {
    this.#batch.push(frame);
    if (this.#flush) return;
    this.#deliver();
    this.#flush = setTimeout(() => {
      this.#flush = null;
      if (this.#batch.length > 0) this.#deliver();
    }, BATCH_MS);
  }

  #deliver(): void {
    const frames = this.#batch;
    this.#batch = [];
    this.ears.frames(frames);
  }

  #lost(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    const never = this.#heard.socket === "connecting";
    this.#tell({ socket: "closed", at: this.#heard.at });
    // A refused handshake has no reason that a page can read; the session may have ended.
    if (never) void this.#askSession();
    if (!this.#look) return;
    const wait = backOffMs(this.#attempt, Math.random());
    this.#attempt += 1;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      if (!this.#socket && this.#look) this.#open();
    }, wait);
  }

  async #askSession(): Promise<void> {
    const answer = await this.#get("/api/me");
    if (answer?.status === 401) {
      this.#push({ type: "signed_out" });
      this.stop();
    }
  }

  /** A silent stream is asked for a sign of life; one that gives none is opened anew. */
  async #lookAfter(): Promise<void> {
    const silent = Date.now() - (this.#heard.at ?? 0);
    if (this.#heard.socket !== "open" || silent < BEAT_MS || this.#asking) return;
    this.#asking = true;
    const answer = await this.#get("/api/health");
    this.#asking = false;
    if (answer?.ok) this.#tell({ socket: this.#heard.socket, at: Date.now() });
    else if (silent > STALE_MS && this.#socket) {
      const socket = this.#socket;
      socket.onclose = null;
      socket.close();
      this.#lost(socket);
    }
  }

  async #get(path: string): Promise<Response | null> {
    try {
      return await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    } catch {
      // No answer is an answer here: the node was not heard.
      return null;
    }
  }

  #tell(heard: Heard): void {
    this.#heard = heard;
    this.ears.heard(heard);
  }
}
