import { count } from "./count";

export const circles = {
  circle: {
    alert: (n: number): string =>
      `the ${count(n, "agency", "agencies")} of its audience and the one that raised it`,
  },
};
