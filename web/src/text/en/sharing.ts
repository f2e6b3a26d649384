import { count } from "./count";

export const sharing = {
  sharing: {
    title: "What agencies share",
    text: "Reports that you may read, by who originated them. What you may not read is not counted, so two readers see different numbers.",
    partly: (read: number, all: number): string =>
      `Releases and trend are counted of the newest ${read} of ${all} reports.`,
    days: "Trend over the last",
    dayCount: (days: number): string => count(days, "day", "days"),
    agency: "Agency",
    readable: "Readable reports",
    released: "Released to others",
    receivers: "To how many agencies",
    trend: "Submitted",
    trendOf: (n: number, days: number): string =>
      `${count(n, "report", "reports")} in ${count(days, "day", "days")}`,
    none: "No reports that you may read.",
    behind: "The node counts again in a moment.",
  },
};
