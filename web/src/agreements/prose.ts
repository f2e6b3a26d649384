// The text of an agreement, from what the machine executes: the same sentences as the node's own.

import type { Agreement, Ceiling, Clause, Equivalence, Span } from "../api/records";
import { levelName } from "../labels/label";
import { formatDtg, parseTime } from "../kernel/dtg";
import { t } from "../text";

export type NameOf = (agency: string) => string;

const list = (words: readonly string[], last: string): string =>
  words.length <= 1 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;

const quoted = (codes: readonly string[], last: string): string =>
  list(
    [...codes].sort().map(code => `“${code}”`),
    last,
  );

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const dtg = (time: string): string => {
  const ms = parseTime(time);
  return ms === null ? time : formatDtg(ms);
};

/** From when until when. */
export const spanWords = (span: Span): string =>
  t.agreement.prose.span(dtg(span.starts_at), dtg(span.ends_at));

function ceilingWords(scheme: string, ceiling: Ceiling): string {
  const level = levelName(scheme, ceiling.level);
  const codes = ceiling.compartments ?? [];
  const prose = t.agreement.prose;
  return codes.length === 0 ? prose.upTo(level) : prose.upToBut(level, quoted(codes, prose.and));
}

function limitWords(clause: Clause): string {
  const prose = t.agreement.prose;
  const ceilings = Object.entries(clause.limits.ceilings).sort(([a], [b]) => (a < b ? -1 : 1));
  const written = ceilings.map(([scheme, ceiling]) => ceilingWords(scheme, ceiling)).join("; ");
  const all = written || prose.nothing;
  const excluded = clause.limits.caveats_excluded ?? [];
  return excluded.length === 0 ? all : prose.exceptMarked(all, quoted(excluded, prose.or));
}

/** A clause as a person reads and signs it. */
export function clauseWords(clause: Clause, nameOf: NameOf): string {
  const prose = t.agreement.prose;
  const permits = clause.effect === "permit";
  const grantees = clause.grantees.map(({ agency, roles }) =>
    roles === "any"
      ? prose.everybodyOf(nameOf(agency))
      : prose.inRole(nameOf(agency), quoted(roles.only, prose.or)),
  );
  const training = clause.training ?? [];
  return prose.sentence({
    span: capital(spanWords(clause.force)),
    grantees: list([...new Set(grantees)].sort(), prose.and),
    may: permits ? prose.may : prose.mayNever,
    learn: clause.discloses === "existence" ? prose.existence : "",
    actions: quoted(clause.actions, prose.and),
    grantors: list(clause.grantors.map(nameOf).sort(), prose.and),
    bound: permits ? prose.covers : prose.spares,
    limits: limitWords(clause),
    purposes: quoted(clause.purposes, prose.or),
    training: training.length === 0 ? prose.noCourse : prose.course(quoted(training, prose.and)),
  });
}

/** The rows of a table of equivalences, each as a sentence. */
export function equivalenceWords(table: Equivalence): string[] {
  const prose = t.agreement.prose;
  const withCodes = (codes: readonly string[]): string =>
    codes.length === 0 ? "" : prose.with(quoted(codes, prose.and));
  return table.rows.map(row => {
    const from = `${levelName(table.from, row.level)}${withCodes(row.required ?? [])}`;
    if (row.outcome === "reject") return prose.rejects(from);
    if (row.outcome === "needs_human") return prose.human(from);
    const { level, add } = row.outcome.map;
    return prose.is(from, `${levelName(table.to, level)}${withCodes(add ?? [])}`);
  });
}

/** What becomes of what was received, and whether it may be handed on. */
export function keepingWords(agreement: Agreement): string {
  const prose = t.agreement.prose;
  const days = agreement.retention_days_max;
  const retention = days === null ? prose.retentionNone : prose.retention(days);
  return `${retention} ${prose.onward[agreement.onward]}`;
}
