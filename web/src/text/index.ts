// The words of the screen, in the language that was chosen.
//
// A language is one file of the shape of the folder `en`; adding one is a file and a line here.

import { en, type Catalogue } from "./en";

export type { Catalogue };

const LANGUAGES: Record<string, () => Promise<Catalogue>> = {
  en: () => Promise.resolve(en),
};

/** Codes of the languages that there are. */
export const languages = (): string[] => Object.keys(LANGUAGES);

/** The catalogue in use; a change of language takes effect at the next start of the page. */
export let t: Catalogue = en;

/** Chooses a language before the first page is drawn. */
export async function speak(code: string): Promise<void> {
  t = await (LANGUAGES[code] ?? LANGUAGES["en"]!)();
  document.documentElement.lang = t.language.code;
  document.documentElement.dir = t.language.direction;
}
