import { describe, expect, it } from "vitest";
import type { Markings } from "../labels/label";
import { added, draftOf, emptyDrawing, emptyFeature, featuresOf, wrongIn } from "./drawing";

const label: Markings = {
  NAT: { level: 1, compartments: [], releasable_to: "unrestricted", caveats: [] },
};
const drawn = (features: ReturnType<typeof emptyFeature>[]) => ({
  ...emptyDrawing(),
  markings: label,
  title: "Cordon",
  features,
});

describe("a drawing that is typed", () => {
  it("becomes what the node takes", () => {
    const circle = { ...emptyFeature("circle"), positions: "60.17, 24.94", radius: "200" };
    const line = { ...emptyFeature("line"), positions: "60N 24E\n\n35V LG 85727 71930\n" };
    const draft = drawn([circle, line]);
    expect(wrongIn(draft)).toEqual([]);
    const [first, second] = featuresOf(draft);
    expect(first).toEqual({
      ...{ kind: "circle", at: [[24.94, 60.17]], radius_m: 200, text: null, sidc: null },
    });
    expect(second!.at).toHaveLength(2);
    expect(second!.radius_m).toBeNull();
  });

  it("is not sent while a position, a radius, a label or a title is wanting", () => {
    const fields = (draft: ReturnType<typeof drawn>) => wrongIn(draft).map(({ field }) => field);
    expect(fields({ ...drawn([]), markings: null as never, title: " " })).toEqual([
      "label",
      "title",
      null,
    ]);
    const area = { ...emptyFeature("area"), positions: "60 24\n61 25" };
    const unread = { ...emptyFeature(), positions: "the harbour" };
    const two = { ...emptyFeature(), positions: "60 24\n61 25" };
    const round = { ...emptyFeature("circle"), positions: "60 24", radius: "0" };
    expect(fields(drawn([area, unread, two, round]))).toEqual([
      "positions-0",
      "positions-1",
      "positions-2",
      "radius-3",
    ]);
  });

  it("takes what is pressed on the map", () => {
    expect(added({ ...emptyFeature(), positions: "1, 2" }, [24, 60])).toBe("60.00000, 24.00000");
    const line = { ...emptyFeature("line"), positions: "1, 2\n" };
    expect(added(line, [24, 60])).toBe("1, 2\n60.00000, 24.00000");
  });

  it("is drawn anew from what it was", () => {
    const draft = draftOf("id", {
      title: "Cordon",
      features: [{ kind: "circle", at: [[24, 60]], radius_m: 200, text: "Post" }],
    });
    expect(wrongIn(draft)).toEqual([]);
    expect(featuresOf(draft)).toEqual([
      { kind: "circle", at: [[24, 60]], radius_m: 200, text: "Post", sidc: null },
    ]);
  });
});
