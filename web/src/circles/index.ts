// Circles: need-to-know beside the label. A page of their own comes with operations; here are the
// words by which other pages say that a record lies in one.

import { t } from "../text";

/** What a circle of an alert means: its audience and whoever raised it, and nobody else. */
export const circlePurpose = (agencies: number): string => t.circle.alert(agencies);
