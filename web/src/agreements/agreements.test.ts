import { describe, expect, it } from "vitest";
import type { Agreement, AgreementBody, Clause, Rendition } from "../api/records";
import { plain } from "../labels/label";
import {
  deeds,
  happenings,
  instrumentOf,
  isFounded,
  resuming,
  signatories,
  stateOf,
} from "./model";
import { clauseWords, equivalenceWords, keepingWords } from "./prose";

const clause: Clause = {
  id: "c",
  version: 1,
  grantors: ["POLICE"],
  grantees: [
    { agency: "FIRE", roles: "any" },
    { agency: "AMB", roles: { only: ["DUTY", "HEAD"] } },
  ],
  effect: "permit",
  actions: ["alert:read"],
  discloses: "content",
  limits: { ceilings: { NAT: { level: 3, compartments: [] } }, caveats_excluded: ["ORCON"] },
  purposes: ["PROTECTION"],
  training: [],
  force: { starts_at: "2026-11-22T12:00:00.000Z", ends_at: "2027-11-22T12:00:00.000Z" },
};

const agreement: Agreement = {
  id: "g",
  version: 2,
  title: "Blue light",
  parties: ["POLICE", "FIRE"],
  legal_basis: "law",
  purposes: ["PROTECTION"],
  force: clause.force,
  clauses: [clause],
  retention_days_max: 30,
  onward: "with_consent",
};

const NOW = Date.parse("2026-12-01T00:00:00.000Z");

function instrument(state: string, body: Partial<AgreementBody> = {}) {
  const label = { markings: { NAT: plain(1) }, originators: ["POLICE"], play: "live" as const };
  const at = "2026-11-22T12:00:00.000Z";
  const rendition: Rendition = {
    id: "g",
    kind: "agreement",
    agency: "POLICE",
    etag: "e",
    banner: "OPEN",
    changed_at: at,
    state,
    due_at: null,
    place: null,
    operation: null,
    layers: [
      {
        id: "l1",
        label,
        mark: "(O)",
        circle: null,
        changed_at: at,
        erased: 0,
        body: { agreement, ...body },
      },
    ],
  };
  return instrumentOf(rendition)!;
}

const at = (minute: number): string => `2026-11-22T12:${String(minute).padStart(2, "0")}:00.000Z`;
const signed = (agency: string, minute: number) => {
  return { agency, person: "p", complete: false, at: at(minute) };
};

describe("an agreement in words", () => {
  it("says every field of a clause", () => {
    expect(clauseWords(clause, id => id.toLowerCase())).toBe(
      "From 221200ZNOV26 until 221200ZNOV27, amb in the role of “DUTY” or “HEAD” and everybody " +
        "of fire may “alert:read” upon what originates with police. This covers up to " +
        "CONFIDENTIAL without compartment; nothing marked “ORCON”, for the purpose of " +
        "“PROTECTION”; no course is required.",
    );
  });

  it("reads differently for every field that decides differently", () => {
    const limits = { ceilings: { NAT: { level: 3, compartments: ["KESTREL"] } } };
    const changes: Partial<Clause>[] = [
      { grantors: ["FIRE"] },
      { grantees: [{ agency: "FIRE", roles: "any" }] },
      { effect: "forbid" },
      { actions: ["report:read"] },
      { discloses: "existence" },
      { limits },
      { limits: { ceilings: {} } },
      { purposes: ["TRAINING"] },
      { training: ["SOURCE HANDLING"] },
      { force: { ...clause.force, ends_at: "2026-12-22T12:00:00.000Z" } },
    ];
    const texts = [clause, ...changes.map(change => ({ ...clause, ...change }))];
    const words = texts.map(text => clauseWords(text, id => id));
    expect(new Set(words).size).toBe(texts.length);
  });

  it("says how long and how far, and what labels become", () => {
    expect(keepingWords(agreement)).toMatch(/within 30 days\. Nothing .* consent/);
    expect(keepingWords({ ...agreement, retention_days_max: null })).toMatch(/^Without limit/);
    const table = {
      from: "NAT",
      to: "NATO",
      rows: [
        { level: 3, required: [], outcome: { map: { level: 3, add: [] } } },
        { level: 5, outcome: "reject" as const },
        { level: 4, required: ["KESTREL"], outcome: "needs_human" as const },
      ],
    };
    expect(equivalenceWords(table)).toEqual([
      "CONFIDENTIAL is NATO CONFIDENTIAL",
      "TOP SECRET does not cross",
      "SECRET with “KESTREL” is marked anew by a person",
    ]);
  });
});

describe("the state of an agreement", () => {
  it("follows its signatures, suspensions and time", () => {
    const words = ["proposed", "in_force", "suspended", "other"].map(
      state => stateOf(instrument(state), NOW).word,
    );
    expect(words).toEqual(["proposed", "in_force", "suspended", "unknown"]);
    expect(stateOf(instrument("in_force"), Date.parse("2028-01-01T00:00:00Z")).word).toBe("ended");
    expect(stateOf(instrument("in_force"), Date.parse("2026-01-01T00:00:00Z")).word).toBe(
      "pending",
    );
  });

  it("leaves room for one deed, to parties only", () => {
    const signatures = [signed("FIRE", 1)];
    expect(deeds(instrument("proposed", { signatures }), "POLICE")).toEqual(["sign"]);
    expect(deeds(instrument("proposed", { signatures }), "FIRE")).toEqual([]);
    expect(deeds(instrument("in_force", { signatures }), "FIRE")).toEqual(["suspend"]);
    expect(deeds(instrument("in_force"), "CUSTOMS")).toEqual([]);
    expect(deeds(instrument("suspended"), "FIRE")).toEqual(["resume"]);
  });

  it("is resumed by those who consented since the last suspension", () => {
    const suspensions = [{ agency: "FIRE", reason: "x", at: at(10) }];
    const before = instrument("suspended", { suspensions, resumptions: [signed("POLICE", 5)] });
    expect(resuming(before)).toEqual([]);
    const after = instrument("suspended", { suspensions, resumptions: [signed("POLICE", 15)] });
    expect(resuming(after)).toEqual(["POLICE"]);
    expect(deeds(after, "POLICE")).toEqual([]);
    expect(deeds(after, "FIRE")).toEqual(["resume"]);
  });

  it("lists who signed and what happened in order", () => {
    const of = instrument("suspended", {
      signatures: [signed("FIRE", 1), signed("POLICE", 2)],
      suspensions: [{ agency: "FIRE", reason: "leak", at: at(10) }],
      resumptions: [signed("POLICE", 15)],
    });
    expect(signatories(of).map(s => s.at)).toEqual([at(2), at(1)]);
    expect(happenings(of).map(h => h.what)).toEqual(["signed", "signed", "suspended", "resumed"]);
    expect([isFounded(of), isFounded(instrument("in_force", { signatures: [] }))]).toEqual([
      false,
      true,
    ]);
  });
});
