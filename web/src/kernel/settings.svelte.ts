// How the screen looks and listens, for this browser. Nothing that is read or written is kept here.

import type { Markings } from "../labels/label";

export const THEMES = ["dark", "light", "night", "contrast"] as const;
export const DENSITIES = ["compact", "comfortable"] as const;

export type Theme = (typeof THEMES)[number];
export type Density = (typeof DENSITIES)[number];

const KEY = "muster-settings";

function kept(): Record<string, unknown> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, unknown>;
  } catch {
    // A browser that keeps nothing gets the defaults.
    return {};
  }
}

class Settings {
  theme = $state<Theme>("dark");
  density = $state<Density>("compact");
  /** Whether single letters are commands (WCAG 2.2 §2.1.4). */
  characters = $state<"on" | "off">("on");
  language = $state("en");
  /** Whether alerts that ask this desk are heard. */
  sound = $state<"on" | "off">("on");
  /** Per cent. */
  volume = $state(40);
  /** What a wall in this browser shows at most; null for all that its reader may read. */
  ceiling: Markings | null = $state.raw(null);

  constructor() {
    const { theme, density, characters, language, sound, volume, ceiling } = kept();
    this.theme = THEMES.find(name => name === theme) ?? "dark";
    this.density = DENSITIES.find(name => name === density) ?? "compact";
    this.characters = characters === "off" ? "off" : "on";
    if (typeof language === "string") this.language = language;
    this.sound = sound === "off" ? "off" : "on";
    if (typeof volume === "number" && volume >= 0 && volume <= 100) this.volume = volume;
    if (typeof ceiling === "object") this.ceiling = ceiling as Markings | null;
  }

  /** Shows and keeps what was chosen. */
  apply(): void {
    const { theme, density, characters, language, sound, volume, ceiling } = this;
    document.documentElement.dataset["theme"] = theme;
    document.documentElement.dataset["density"] = density;
    const all = { theme, density, characters, language, sound, volume, ceiling };
    try {
      localStorage.setItem(KEY, JSON.stringify(all));
    } catch {
      // Settings that cannot be kept still hold for this page.
    }
  }
}

export const settings = new Settings();
