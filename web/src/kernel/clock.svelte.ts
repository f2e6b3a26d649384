// The clock of the play: Zulu time as the node has it, which in a demonstration may run faster.

import { parseTime } from "./dtg";
import { speedOf, type Sample } from "./speed";

class Clock {
  /** Play time now, in milliseconds; it moves once a second, or four times when it runs fast. */
  now = $state(Date.now());
  /** Play seconds per second of this machine. */
  speed = $state(1);
  /** How far this machine's own clock is from the node's; only when the play runs at its pace. */
  skewMs = $state(0);

  #first: Sample | null = null;
  #last: Sample = { play: Date.now(), here: performance.now() };
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** Takes the node's time, that was read between two times of `performance.now()`. */
  set(at: string, asked: number, answered: number): void {
    const play = parseTime(at);
    if (play === null) return;
    const sample = { play, here: (asked + answered) / 2 };
    this.#first ??= sample;
    this.speed = speedOf(this.#first, sample) ?? this.speed;
    this.#last = sample;
    this.skewMs = this.speed === 1 ? Date.now() - this.#at(performance.now()) : 0;
    this.#tick();
  }

  #at(here: number): number {
    return this.#last.play + (here - this.#last.here) * this.speed;
  }

  #tick = (): void => {
    if (this.#timer) clearTimeout(this.#timer);
    this.now = this.#at(performance.now());
    const wait = this.speed > 1 ? 250 : 1000 - (this.now % 1000);
    this.#timer = setTimeout(this.#tick, wait);
  };

  start(): void {
    this.#tick();
  }
}

export const clock = new Clock();
