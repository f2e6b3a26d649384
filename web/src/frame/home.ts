// Where somebody begins: the page that their work is on.

import type { PageName } from "../kernel/route";

/** The first that fits; a desk goes before everything else that its officer may be. */
const HOMES: readonly [role: string, page: PageName][] = [
  ["DUTY", "watch"],
  ["DEPUTY", "watch"],
  ["CENTRE", "watch"],
  ["HEAD", "watch"],
  ["INSPECTOR", "ledger"],
  ["ANALYST", "feed"],
  ["ADMIN", "people"],
  ["SIGNATORY", "agreements"],
];

/** The page on which somebody with these roles begins. */
export const homeOf = (roles: readonly string[]): PageName =>
  HOMES.find(([role]) => roles.includes(role))?.[1] ?? "watch";
