import { describe, expect, it } from "vitest";
import { plain } from "../labels/label";
import { bytesOf, commandOf, emptyDraft, optionsOf, placeOf, wrongIn, type Draft } from "./draft";

const full = (): Draft => ({
  ...emptyDraft(),
  markings: { NAT: plain(2) },
  precedence: "IMMEDIATE",
  title: " Explosion ",
  text: "Casualties.",
  audience: ["a"],
});
const fields = (draft: Draft) => wrongIn(draft).map(wrong => wrong.field);

describe("the form for raising an alert", () => {
  it("names everything that is missing, the label first", () => {
    expect(fields(emptyDraft())).toEqual(["label", "precedence", "title", "text", "audience"]);
    expect(fields(full())).toEqual([]);
  });

  it("keeps the limits of the node, in bytes", () => {
    expect(bytesOf("é")).toBe(2);
    expect(fields({ ...full(), title: "é".repeat(80) })).toEqual([]);
    expect(fields({ ...full(), title: "é".repeat(81) })).toEqual(["title"]);
    expect(fields({ ...full(), text: "x".repeat(8001) })).toEqual(["text"]);
    expect(fields({ ...full(), options: "x\n".repeat(8) })).toEqual([]);
    expect(fields({ ...full(), options: "x\n".repeat(9) })).toEqual(["options"]);
    expect(fields({ ...full(), options: "x".repeat(41) })).toEqual(["options"]);
    expect(fields({ ...full(), options: " \n " })).toEqual(["options"]);
  });

  it("wants the rungs one after the other", () => {
    for (const ladder of [
      ["60", "60", "180"],
      ["0", "1", "2"],
      ["a", "2", "3"],
      ["1", "2.5", "3"],
    ]) {
      expect(fields({ ...full(), ladder: ladder as Draft["ladder"] })).toEqual(["ladder"]);
    }
  });

  it("reads a place in degrees", () => {
    expect(placeOf("60.171, 24.9414")).toEqual({ lat: 60.171, lon: 24.9414 });
    expect(placeOf("-33 151")).toEqual({ lat: -33, lon: 151 });
    for (const bad of ["", "91, 0", "0, 181", "here", "60,171, 24"])
      expect(placeOf(bad)).toBeNull();
    expect(fields({ ...full(), place: "here" })).toEqual(["place"]);
  });

  it("becomes the node's command", () => {
    const higher = [{ markings: { NAT: plain(4) }, text: " known cell " }];
    const command = commandOf({ ...full(), place: "60.2,24.9", higher });
    expect(command).toEqual({
      markings: { NAT: plain(2) },
      precedence: "IMMEDIATE",
      title: "Explosion",
      text: "Casualties.",
      audience: ["a"],
      options: ["Responding", "Standing by", "Cannot respond"],
      place: { lat: 60.2, lon: 24.9 },
      ladder_s: [60, 120, 180],
      higher: [{ markings: { NAT: plain(4) }, text: "known cell" }],
    });
    expect(commandOf(full())["place"]).toBeNull();
  });

  it("wants a label and a text for each higher part", () => {
    const higher = [{ markings: null, text: "" }];
    expect(fields({ ...full(), higher })).toEqual(["higher-0", "higher-0-text"]);
  });

  it("takes one answer a line", () => {
    expect(optionsOf(" a \n\n b")).toEqual(["a", "b"]);
  });
});
