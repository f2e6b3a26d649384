// Sounds of the desk, made here and asked of nobody: three patterns, known apart without looking.

import { settings } from "./settings.svelte";

/** `critical` is repeated by whoever plays it until it is answered; the others sound once. */
export type Pattern = "critical" | "serious" | "message";

interface Tone {
  hertz: number;
  /** Seconds from the beginning of the pattern. */
  from: number;
  lasts: number;
}

const tone = (hertz: number, from: number, lasts: number): Tone => ({ hertz, from, lasts });

const PATTERNS: Record<Pattern, readonly Tone[]> = {
  critical: [0, 0.44, 0.88].flatMap(from => [tone(960, from, 0.2), tone(720, from + 0.22, 0.18)]),
  serious: [tone(720, 0, 0.24), tone(720, 0.36, 0.24)],
  message: [tone(480, 0, 0.16)],
};
/** Seconds in which a tone swells and fades, so that it does not click. */
const EDGE_S = 0.015;

class Sounds {
  /** The browser lets nothing be heard before somebody has pressed something. */
  blocked = $state(false);
  #context: AudioContext | null = null;

  /** Plays a pattern; what cannot be heard says so on the screen. */
  async play(pattern: Pattern): Promise<void> {
    if (settings.sound === "off") return;
    try {
      this.#context ??= new AudioContext();
      if (this.#context.state === "suspended") this.blocked = true;
      await this.#context.resume();
      this.blocked = false;
      this.#sound(this.#context, pattern);
    } catch {
      this.blocked = true;
    }
  }

  #sound(context: AudioContext, pattern: Pattern): void {
    const begin = context.currentTime + 0.02;
    for (const { hertz, from, lasts } of PATTERNS[pattern]) {
      const [source, gain] = [context.createOscillator(), context.createGain()];
      const [at, end] = [begin + from, begin + from + lasts];
      source.frequency.value = hertz;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(settings.volume / 100, at + EDGE_S);
      gain.gain.setValueAtTime(settings.volume / 100, end - EDGE_S);
      gain.gain.linearRampToValueAtTime(0, end);
      source.connect(gain).connect(context.destination);
      source.start(at);
      source.stop(end);
    }
  }
}

export const sounds = new Sounds();
