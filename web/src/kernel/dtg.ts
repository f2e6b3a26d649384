// The date-time group of the services, and how spans of time are written.

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

const two = (n: number): string => String(n).padStart(2, "0");

/** Milliseconds since the epoch of an RFC 3339 time; null for none or another form. */
export function parseTime(text: string | null | undefined): number | null {
  if (!text) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

/** `221930ZNOV26`: the minute in Zulu time; seconds are dropped. */
export function formatDtg(ms: number): string {
  const at = new Date(ms);
  const day = two(at.getUTCDate());
  const clock = `${two(at.getUTCHours())}${two(at.getUTCMinutes())}`;
  return `${day}${clock}Z${MONTHS[at.getUTCMonth()] ?? ""}${two(at.getUTCFullYear() % 100)}`;
}

/** `20:38:46Z`. */
export function formatClock(ms: number): string {
  const at = new Date(ms);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}Z`;
}

/** Hours east of Greenwich for a military zone letter (ACP 121); J, local time, is none. */
function zoneHours(letter: string): number | null {
  const code = letter.charCodeAt(0);
  if (letter === "Z") return 0;
  if (letter >= "A" && letter <= "I") return code - 64;
  if (letter >= "K" && letter <= "M") return code - 65;
  if (letter >= "N" && letter <= "Y") return -(code - 77);
  return null;
}

/** Reads a date-time group; the two-digit year is of this century. */
export function parseDtg(text: string): number | null {
  const found = /^(\d\d)(\d\d)(\d\d)([A-Z])([A-Z]{3})(\d\d)$/.exec(text.trim().toUpperCase());
  if (!found) return null;
  const [, day = "", hour = "", minute = "", zone = "", name = "", year = ""] = found;
  const month = MONTHS.indexOf(name);
  const offset = zoneHours(zone);
  if (month < 0 || offset === null || Number(hour) > 23 || Number(minute) > 59) return null;
  const ms = Date.UTC(2000 + Number(year), month, Number(day), Number(hour), Number(minute));
  const at = new Date(ms);
  if (at.getUTCDate() !== Number(day) || at.getUTCMonth() !== month) return null;
  return ms - offset * 3_600_000;
}

/** `42 s`, `7 min`, `2 h 05 min` or `3 d 04 h`: how long ago something was, at a glance. */
export function formatAge(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 60) return `${min} min`;
  const h = Math.floor(min / 60);
  return h < 24 ? `${h} h ${two(min % 60)} min` : `${Math.floor(h / 24)} d ${two(h % 24)} h`;
}

/** `0:42`, `12:05`, `1:02:09` or `3 d 04 h`: how long something lasts or lasted. */
export function formatSpan(ms: number): string {
  const all = Math.max(0, Math.floor(ms / 1000));
  const [s, min, h] = [all % 60, Math.floor(all / 60) % 60, Math.floor(all / 3600)];
  if (h >= 24) return `${Math.floor(h / 24)} d ${two(h % 24)} h`;
  return h > 0 ? `${h}:${two(min)}:${two(s)}` : `${min}:${two(s)}`;
}
