// The session: who is signed in, the connection, and the end of both.

import * as call from "../api/call";
import type { Me } from "../api/records";
import { register } from "../labels/register.svelte";
import { adopt, type Scheme } from "../labels/schemes";
import { clock } from "../kernel/clock.svelte";
import { forgetAll } from "../kernel/forget";
import { ageMs, linkState, type Heard } from "../kernel/link";
import { listen } from "../kernel/live";
import { store } from "../kernel/store.svelte";
import { openVault } from "../kernel/vault";

type State =
  { is: "asking" } | { is: "out"; why: "never" | "ended" | "unreachable" } | { is: "in"; me: Me };

/** When the clock is looked at a second time, to see how fast the play runs. */
const SECOND_LOOK_MS = 1_200;
/** How often the clock and the person's seat and roles are read again. */
const LOOK_MS = 30_000;

class Session {
  state = $state.raw<State>({ is: "asking" });
  heard = $state.raw<Heard>({ socket: "connecting", at: null });
  /** This machine's time, for ages; it moves while the page is open. */
  here = $state(Date.now());

  link = $derived(linkState(this.heard, this.here));
  ageMs = $derived(ageMs(this.heard, this.here));
  me = $derived(this.state.is === "in" ? this.state.me : null);

  #leave: (() => void) | null = null;
  #tabs = new BroadcastChannel("muster-session");
  #look: ReturnType<typeof setInterval> | null = null;

  async start(): Promise<void> {
    call.whenSignedOut(() => this.end("ended"));
    this.#tabs.onmessage = (message: MessageEvent<string | null>) => this.#told(message.data);
    setInterval(() => (this.here = Date.now()), 500);
    await this.ask();
  }

  /** Asks the node who this is, and begins. */
  async ask(): Promise<void> {
    this.state = { is: "asking" };
    const me = await this.#readMe();
    if (!me.done) {
      const why = me.fault.status === 401 ? "never" : "unreachable";
      this.state = { is: "out", why };
      return;
    }
    this.state = { is: "in", me: me.value };
    // Pages of somebody else in this browser act with our cookie from now on: they begin anew.
    this.#tabs.postMessage(who(me.value));
    void this.#readSchemes();
    void openVault(me.value.person ?? "");
    this.#leave = listen(me.value.person ?? "", {
      frames: frames => {
        if (frames.some(frame => frame.type === "signed_out")) this.end("ended");
        else store.take(frames);
      },
      heard: heard => (this.heard = heard),
    });
    setTimeout(() => void this.#again(), SECOND_LOOK_MS);
    this.#look = setInterval(() => void this.#again(), LOOK_MS);
  }

  /** The node's own schemes go before the copy that came with the client. */
  async #readSchemes(): Promise<void> {
    if (!(await call.offers("/api/schemes"))) return;
    const schemes = await call.optional<Scheme[]>("/api/schemes");
    if (schemes && adopt(schemes)) register.refresh();
  }

  async #readMe(): ReturnType<typeof call.me> {
    const asked = performance.now();
    const me = await call.me();
    if (me.done) clock.set(me.value.at, asked, performance.now());
    return me;
  }

  async #again(): Promise<void> {
    const me = await this.#readMe();
    if (this.state.is === "in" && me.done) this.state = { is: "in", me: me.value };
    else if (!me.done && me.fault.status === 401) this.end("ended");
  }

  async signOut(): Promise<void> {
    await call.signOut();
    this.#tabs.postMessage(null);
    this.end("never");
  }

  /** Ends the session on this page: everything that was read is dropped. */
  end(why: "never" | "ended"): void {
    if (this.state.is !== "in") return;
    this.#leave?.();
    if (this.#look) clearInterval(this.#look);
    this.#leave = this.#look = null;
    store.forget();
    forgetAll();
    this.state = { is: "out", why };
  }

  #told(other: string | null): void {
    if (this.state.is !== "in") return;
    if (other === null) this.end("ended");
    else if (other !== who(this.state.me)) location.reload();
  }
}

const who = (me: Me): string => `${me.person} ${me.seat}`;

export const session = new Session();
