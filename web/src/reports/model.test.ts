import { describe, expect, it } from "vitest";
import type { Rendition } from "../api/records";
import type { Label, Markings } from "../labels/label";
import { commandOf, emptyDraft, emptyLine, questionOf, sizeOf, reportOf, stateOf } from "./model";

const marked = (level: number): Markings => ({
  NAT: { level, compartments: [], releasable_to: "unrestricted", caveats: [] },
});
const label = (level: number): Label => ({
  markings: marked(level),
  originators: ["p"],
  play: "live",
});

function rendition(state: string, bodies: Record<string, unknown>[]): Rendition {
  return {
    id: "r",
    kind: "report",
    agency: "p",
    etag: "e",
    banner: "",
    changed_at: "2026-11-22T12:00:00.000Z",
    state,
    due_at: null,
    place: null,
    operation: null,
    layers: bodies.map((body, n) => ({
      id: `l${n}`,
      label: label(n + 2),
      mark: `(${n})`,
      circle: null,
      changed_at: "2026-11-22T12:00:00.000Z",
      erased: 0,
      body,
    })),
  };
}

describe("a report", () => {
  it("has its lines in the order of its form, each under the mark of its layer", () => {
    const portion = (line: string) => ({ line, text: line, grade: null });
    const report = reportOf(
      rendition("submitted", [
        { form: "methane", portions: [portion("hazards"), portion("exact_location")] },
        { portions: [portion("hazards")] },
      ]),
    );
    const lines = report?.portions.map(({ line, mark }) => `${line} ${mark}`);
    expect(lines).toEqual(["exact_location (0)", "hazards (0)", "hazards (1)"]);
  });

  it("is released until it is withdrawn, and again after a later release", () => {
    const releases = [{ agency: "f", at: "2026-11-22T12:00:00.000Z" }];
    const withdrawals = [{ agency: "f", reason: "error", at: "2026-11-22T12:01:00.000Z" }];
    const once = reportOf(rendition("submitted", [{ releases, withdrawals }]));
    expect(once?.releases[0]?.withdrawn?.reason).toBe("error");
    const again = [...releases, { agency: "f", at: "2026-11-22T12:02:00.000Z" }];
    const twice = reportOf(rendition("submitted", [{ releases: again, withdrawals }]));
    expect(twice?.releases.map(release => release.withdrawn)).toEqual([null]);
  });

  it("says when it is late, and nothing of a state that it does not know", () => {
    const word = (state: string) => {
      const report = reportOf(rendition(state, [{}]));
      return report ? stateOf(report).word : null;
    };
    expect(word("late")).toBe("late");
    expect(word("overdue")).toBe("overdue");
    expect(word("anything")).toBe("unknown");
    expect(reportOf(rendition("late", []))).toBeNull();
  });
});

describe("a draft", () => {
  const draft = {
    ...emptyDraft(),
    markings: marked(2),
    recipients: ["f"],
    lines: {
      hazards: { ...emptyLine(), text: " gas ", markings: marked(3) },
      exact_location: { ...emptyLine(), text: "here" },
      headline: { ...emptyLine(), text: "of another form" },
    },
  };

  it("sends the lines of its form in which something stands", () => {
    expect(commandOf(draft)["portions"]).toEqual([
      { line: "exact_location", text: "here", markings: null, grade: null },
      { line: "hazards", text: "gas", markings: marked(3), grade: null },
    ]);
  });

  it("asks who would see what without sending a text", () => {
    const question = questionOf(draft);
    expect(question?.["portions"]).toEqual([null, marked(3)]);
    expect(JSON.stringify(question)).not.toContain("gas");
    expect(questionOf({ ...draft, recipients: [] })).toBeNull();
  });

  it("hands in its files, and asks who would see them without a name", () => {
    const file = { name: "plan.pdf", bytes: 8, attachment: "T", marking: true };
    const filed = { ...draft, files: [{ ...file, markings: marked(4) }] };
    expect(commandOf(filed)["attachments"]).toEqual([{ attachment: "T", markings: marked(4) }]);
    expect(questionOf(filed)?.["portions"]).toEqual([null, marked(3), marked(4)]);
    expect(JSON.stringify(questionOf(filed))).not.toContain("plan");
  });

  it("says sizes as people read them", () => {
    expect([5, 2048, 3 * 1024 * 1024].map(sizeOf)).toEqual(["5 B", "2 KiB", "3.0 MiB"]);
  });
});
