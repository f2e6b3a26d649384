import { describe, expect, it } from "vitest";
import type { Acknowledgement, AlertBody, Escalation, Rendition } from "../api/records";
import { plain } from "../labels/label";
import { worst } from "../ui/status";
import {
  alertOf,
  asks,
  boardOf,
  deskOrder,
  happenings,
  ladderOf,
  rollUp,
  silentOf,
  stateOf,
} from "./model";

const T = (second: number): string =>
  new Date(Date.UTC(2026, 10, 22, 12) + second * 1000).toISOString();
const ms = (second: number): number => Date.parse(T(second));

const answer = (agency: string, second: number, option = 0): Acknowledgement => ({
  agency,
  person: `person of ${agency}`,
  seat: null,
  option,
  note: null,
  complete: false,
  at: T(second),
});
const called = (rung: Escalation["rung"], second: number, silent: string[]): Escalation => ({
  rung,
  silent,
  called: ["seat"],
  at: T(second),
});

function alert(body: Partial<AlertBody> = {}, more: Partial<Rendition> = {}) {
  const label = { markings: { NAT: plain(2) }, originators: ["POL"], play: "live" as const };
  const rendition: Rendition = {
    id: "a",
    kind: "alert",
    agency: "POL",
    etag: "e",
    banner: "RESTRICTED",
    changed_at: T(0),
    state: "open",
    due_at: T(60),
    place: null,
    operation: null,
    layers: [
      {
        id: "l1",
        label,
        mark: "(R)",
        circle: null,
        changed_at: T(0),
        erased: 0,
        body: {
          title: "Explosion",
          text: "Casualties.",
          precedence: "IMMEDIATE",
          audience: ["FIRE", "AMB"],
          options: ["responding", "standing by"],
          raised_at: T(0),
          ...body,
        },
      },
    ],
    ...more,
  };
  const made = alertOf(rendition);
  if (!made) throw new Error("no alert");
  return made;
}

describe("the state of an alert", () => {
  it("depends on who has answered, who asks, and the time", () => {
    const open = alert();
    expect(stateOf(open, "FIRE", ms(10))).toEqual({ status: "serious", word: "answer" });
    expect(stateOf(open, "POL", ms(10))).toEqual({ status: "caution", word: "waiting" });
    expect(stateOf(open, "POL", ms(60))).toEqual({ status: "critical", word: "overdue" });
    const fire = alert({ acknowledgements: [answer("FIRE", 5)] });
    expect(stateOf(fire, "FIRE", ms(10)).word).toBe("waiting");
    expect([asks(fire, "FIRE"), asks(fire, "AMB"), asks(fire, "POL")]).toEqual([
      false,
      true,
      false,
    ]);
    const closed = alert({}, { state: "answered", due_at: null });
    expect(stateOf(closed, "FIRE", ms(999)).status).toBe("normal");
    expect(stateOf(alert({}, { state: "cancelled" }), "FIRE", ms(0)).status).toBe("off");
    expect(stateOf(alert({}, { state: null }), "FIRE", ms(0)).word).toBe("unknown");
  });

  it("is counted by its status, the worst of which stands for all", () => {
    const all = [alert(), alert({}, { state: "answered" })];
    const counts = rollUp(all, "POL", ms(99));
    expect([...counts]).toEqual([
      ["critical", 1],
      ["normal", 1],
    ]);
    expect(worst(counts.keys())).toBe("critical");
    expect(worst([])).toBeNull();
  });

  it("orders the desk: worst, then precedence, then newest", () => {
    const make = (id: string, body: Partial<AlertBody>, more: Partial<Rendition> = {}) =>
      alert(body, { id, ...more });
    const all = [
      make("done", {}, { state: "answered" }),
      make("old", { precedence: "PRIORITY", raised_at: T(-50) }),
      make("new", { precedence: "PRIORITY", raised_at: T(-10) }),
      make("flash", { precedence: "FLASH", raised_at: T(-90) }),
      make("late", { precedence: "ROUTINE" }, { due_at: T(-1) }),
    ];
    const order = deskOrder(all, "FIRE", ms(0)).map(a => a.id);
    expect(order).toEqual(["late", "flash", "new", "old", "done"]);
  });
});

describe("the board", () => {
  it("has one row an agency, and the first answer silences nobody else", () => {
    const board = boardOf(alert({ acknowledgements: [answer("FIRE", 42, 1)] }));
    expect(board.map(row => [row.agency, row.state, row.option, row.afterMs])).toEqual([
      ["FIRE", "answered", "standing by", 42_000],
      ["AMB", "waiting", null, null],
    ]);
    expect(silentOf(alert({ acknowledgements: [answer("FIRE", 42)] }))).toEqual(["AMB"]);
  });

  it("takes the newest answer and says how many there were", () => {
    const row = boardOf(
      alert({ acknowledgements: [answer("FIRE", 5, 0), answer("FIRE", 9, 1)] }),
    )[0];
    expect([row?.option, row?.times, row?.afterMs]).toEqual(["standing by", 2, 9000]);
  });

  it("shows a deaf agency with the rung that was called, until it answers", () => {
    const escalations = [called("deputy", 60, ["FIRE", "AMB"]), called("head", 120, ["AMB"])];
    const board = boardOf(alert({ escalations, acknowledgements: [answer("FIRE", 90)] }));
    expect(board.map(row => [row.state, row.status, row.rung])).toEqual([
      ["answered", "normal", "deputy"],
      ["deaf", "critical", "head"],
    ]);
  });

  it("asks nobody any more when the alert is cancelled", () => {
    const board = boardOf(alert({}, { state: "cancelled" }));
    expect(board.map(row => row.state)).toEqual(["released", "released"]);
  });
});

describe("the ladder", () => {
  it("counts to the first rung from the record's own time", () => {
    const [deputy, head] = ladderOf(alert());
    expect([deputy?.dueAt, deputy?.next, head?.dueAt, head?.next]).toEqual([
      ms(60),
      true,
      null,
      false,
    ]);
  });

  it("knows every rung when the node gives the ladder out", () => {
    const steps = ladderOf(
      alert({ ladder_s: [60, 120, 180], escalations: [called("deputy", 60, [])] }),
    );
    expect(steps.map(s => s.dueAt)).toEqual([null, ms(120), ms(180)]);
    expect(steps.map(s => s.next)).toEqual([false, true, false]);
  });

  it("stops when everybody has answered", () => {
    const steps = ladderOf(alert({}, { state: "answered", due_at: null }));
    expect(steps.every(s => s.dueAt === null && !s.next)).toBe(true);
  });
});

describe("what happened", () => {
  it("is told in its order", () => {
    const of = alert({
      escalations: [called("deputy", 60, ["AMB"])],
      acknowledgements: [answer("FIRE", 70)],
    });
    expect(happenings(of).map(h => h.what.type)).toEqual(["raised", "escalated", "answered"]);
  });

  it("is empty for an alert that was erased", () => {
    const erased = alertOf({
      ...alert().rendition,
      layers: [{ ...alert().rendition.layers[0]!, body: {} }],
    });
    expect(erased && [happenings(erased), boardOf(erased), erased.portions[0]?.text]).toEqual([
      [],
      [],
      undefined,
    ]);
    expect(alertOf({ ...alert().rendition, layers: [] })).toBeNull();
  });
});
