// Persons and seats: two forms of one kind of record.

import { bodyOf, type PersonBody, type Rendition } from "../api/records";
import type { Label } from "../labels/label";
import type { Status } from "../ui/status";

export interface Being {
  rendition: Rendition;
  id: string;
  agency: string;
  label: Label;
  mark: string;
  body: Partial<PersonBody>;
  is: "person" | "seat";
  /** The name of the person, or of the post; empty when it was erased. */
  title: string;
}

/** Reads a rendition; null for one without a layer. */
export function beingOf(rendition: Rendition): Being | null {
  const base = rendition.layers[0];
  if (!base) return null;
  const body = bodyOf<PersonBody>(base);
  const seat = body.seat !== undefined || ["held", "empty"].includes(rendition.state ?? "");
  return {
    rendition,
    id: rendition.id,
    agency: rendition.agency,
    label: base.label,
    mark: base.mark,
    body,
    is: seat ? "seat" : "person",
    title: (seat ? body.seat : body.name) ?? "",
  };
}

export type BeingWord = "held" | "empty" | "active" | "removed" | "unknown";

/** How a person or a seat stands. */
export function stateOf(being: Being): { status: Status; word: BeingWord } {
  switch (being.rendition.state) {
    case "held":
      return { status: "normal", word: "held" };
    case "empty":
      return { status: "caution", word: "empty" };
    case "active":
      return { status: "normal", word: "active" };
    case "removed":
      return { status: "off", word: "removed" };
    default:
      return { status: "standby", word: "unknown" };
  }
}

/** Seats and people of one list, each in the order of agency and title. */
export function parted(
  renditions: Iterable<Rendition>,
  agencyTitle: (id: string) => string,
): { seats: Being[]; people: Being[] } {
  const all = [...renditions].map(beingOf).filter(being => being !== null);
  const order = (a: Being, b: Being): number =>
    agencyTitle(a.agency).localeCompare(agencyTitle(b.agency)) || a.title.localeCompare(b.title);
  return {
    seats: all.filter(being => being.is === "seat").sort(order),
    people: all.filter(being => being.is === "person").sort(order),
  };
}

/** The seats that a person holds. */
export const heldBy = (seats: readonly Being[], person: string): Being[] =>
  seats.filter(seat => seat.body.holder === person);
