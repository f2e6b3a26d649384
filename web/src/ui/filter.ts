// Filtering by words: every word must stand somewhere in the row.

/** Says whether a row fits what was typed; capitals and accents do not matter. */
export function fits(filter: string, ...texts: (string | null | undefined)[]): boolean {
  const plain = (text: string): string =>
    text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const row = plain(texts.filter(Boolean).join(" "));
  return plain(filter)
    .split(/\s+/)
    .every(word => row.includes(word));
}
