import { describe, expect, it } from "vitest";
import type { Rendition } from "../api/records";
import { reportOf, type Report } from "./model";
import { linesNow, placesOf, revisionOf } from "./revise";

const label = (level: number) => ({
  markings: { NAT: { level, compartments: [], releasable_to: "unrestricted", caveats: [] } },
  originators: [],
  play: "live",
});

function report(form: string, grade: unknown = null): Report {
  const said = (line: string, text: string) => ({ line, text, grade });
  const layers = [
    { id: "a", label: label(1), mark: "(R)", body: { form, portions: [said("hazards", "gas")] } },
    { id: "b", label: label(3), mark: "(S)", body: { portions: [said("access", "by the yard")] } },
  ];
  const read = reportOf({
    id: "r",
    agency: "a",
    state: "submitted",
    layers,
  } as unknown as Rendition);
  if (!read) throw new Error("no layer");
  return read;
}

describe("a revision", () => {
  it("sends every line of the labels that changed, and of no other", () => {
    const of = report("methane");
    expect(placesOf(of).map(place => place.mark)).toEqual(["(R)", "(S)"]);
    const lines = linesNow(of);
    expect(revisionOf(of, lines)).toEqual({ fault: "nothing" });
    const low = lines.map(one => (one.line === "hazards" ? { ...one, text: " chlorine " } : one));
    expect(revisionOf(of, low)).toEqual({
      portions: [{ line: "hazards", text: "chlorine", markings: null, grade: null }],
    });
    const high = lines.map(one => (one.line === "access" ? { ...one, text: "closed" } : one));
    expect(revisionOf(of, high)).toEqual({
      portions: [{ line: "access", text: "closed", markings: label(3).markings, grade: null }],
    });
  });

  it("leaves no label without a line, and no line of intelligence without a grade", () => {
    const of = report("methane");
    const emptied = linesNow(of).map(one => ({ ...one, text: "" }));
    expect(revisionOf(of, emptied)).toEqual({ fault: "emptied" });
    const graded = report("intelligence", { source: "B", information: 2 });
    const changed = linesNow(graded).map(one => ({ ...one, text: "new", information: "" }));
    expect(revisionOf(graded, changed)).toEqual({ fault: "grade" });
    const whole = linesNow(graded).map(one => ({ ...one, text: "new" }));
    const sent = revisionOf(graded, whole);
    expect("portions" in sent && sent.portions[0]?.["grade"]).toEqual({
      source: "B",
      information: 2,
    });
  });
});
