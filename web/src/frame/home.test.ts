import { describe, expect, it } from "vitest";
import { homeOf } from "./home";

describe("where people begin", () => {
  it("is the page of their work, and the desk before all else", () => {
    expect(homeOf(["INSPECTOR"])).toBe("ledger");
    expect(homeOf(["ADMIN", "ANALYST"])).toBe("feed");
    expect(homeOf(["ADMIN", "SIGNATORY", "DUTY"])).toBe("watch");
    expect(homeOf([])).toBe("watch");
  });
});
