// The ledger as inspectors see it: metadata only, as far as rights allow.

export interface SignedHead {
  size: number;
  root: string;
  checkpoint: string;
  signed_by: string[];
}

export interface Known {
  id: string;
  sequence: number;
  at: string;
  class: string;
  kind: string | null;
  record: string | null;
  person: string | null;
  agency: string | null;
  acted_at: string | null;
  clauses: string[];
  portions: number | null;
  erased: number | null;
}

/** The newest head of the log of acts that a witness has cosigned. */
export interface Witnessed {
  witness: string;
  size: number;
  at: string;
}

/** A head that was signed and lost: the log goes on behind `kept`. */
export interface CutBack {
  signed: { size: number; root: string };
  kept: { size: number; root: string };
  reason: string;
}

export interface LedgerPage {
  acts: SignedHead;
  access: SignedHead;
  witnesses: Witnessed[];
  losses: CutBack[];
  entries: Known[];
  next: number | null;
}

/** The page that shows a record of a kind of entry; null when there is none. */
export function pageOf(
  kind: string | null,
): "watch" | "agreements" | "people" | "agencies" | "erasures" | null {
  const noun = kind?.split(".")[0];
  if (noun === "alert") return "watch";
  if (noun === "agreement") return "agreements";
  if (noun === "person" || noun === "seat") return "people";
  if (noun === "erasure") return "erasures";
  return noun === "agency" ? "agencies" : null;
}

/** Gives a text to be kept as a file. */
export function keep(name: string, text: string, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
