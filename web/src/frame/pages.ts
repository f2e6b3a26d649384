// The pages: what each is loaded from, who is led to it, by which key, and where it stands.

import type { Component } from "svelte";
import { router } from "../kernel/router.svelte";
import { routeTo, type PageName } from "../kernel/route";
import type { Command } from "../kernel/commands.svelte";
import { t } from "../text";

interface Page {
  /** Watch is in the first chunk; every other page is one of its own. */
  load?: () => Promise<{ default: Component<{ id: string | null }> | Component }>;
  key?: string;
  /** Where it stands in the navigation; absent for pages that others lead to. */
  nav?: true;
  /** The page of the navigation that it belongs to. */
  above?: PageName;
  /** The role without which the node refuses it. */
  role?: string;
}

/** In the order of the navigation. */
export const PAGES: Record<PageName, Page> = {
  watch: { key: "g w", nav: true },
  map: { load: () => import("../map/Map.svelte"), key: "g m", nav: true },
  raise: { load: () => import("../alerts/Raise.svelte"), key: "r", above: "watch" },
  reports: { load: () => import("../reports/Reports.svelte"), key: "g r", nav: true },
  compose: { load: () => import("../reports/Compose.svelte"), key: "n", above: "reports" },
  search: { load: () => import("../search/Search.svelte"), key: "g f" },
  feed: { load: () => import("../feed/Feed.svelte"), key: "g t", nav: true },
  entities: { load: () => import("../entities/Entities.svelte"), key: "g e", nav: true },
  graph: { load: () => import("../entities/graph/Wide.svelte"), above: "entities" },
  operations: { load: () => import("../operations/Operations.svelte"), key: "g o", nav: true },
  declare: { load: () => import("../declarations/Declare.svelte"), key: "d", above: "operations" },
  roster: { load: () => import("../roster/Roster.svelte"), key: "g h", above: "operations" },
  plans: { load: () => import("../plans/Plans.svelte"), key: "g n", above: "operations" },
  plan: { load: () => import("../plans/Write.svelte"), above: "operations" },
  agreements: { load: () => import("../agreements/Agreements.svelte"), key: "g a", nav: true },
  instrument: { load: () => import("../agreements/Instrument.svelte"), above: "agreements" },
  lattice: { load: () => import("../labels/LatticePage.svelte"), above: "settings" },
  why: { load: () => import("../why/Ask.svelte"), key: "g y", above: "agreements" },
  people: { load: () => import("../people/People.svelte"), key: "g p", nav: true },
  agencies: { load: () => import("../agencies/Agencies.svelte"), key: "g g", nav: true },
  inquiries: {
    load: () => import("../inquiries/Inquiries.svelte"),
    key: "g i",
    nav: true,
    role: "INSPECTOR",
  },
  ledger: {
    load: () => import("../ledger/Ledger.svelte"),
    key: "g l",
    nav: true,
    role: "INSPECTOR",
  },
  erasures: { load: () => import("../erasures/Erasures.svelte"), key: "g x", above: "ledger" },
  webhooks: {
    load: () => import("../webhooks/Webhooks.svelte"),
    key: "g k",
    nav: true,
    role: "ADMIN",
  },
  settings: { load: () => import("../settings/Settings.svelte"), key: "g s", nav: true },
};

/** Pages that somebody with these roles is led to, in order. */
export function pagesFor(roles: readonly string[]): PageName[] {
  return (Object.keys(PAGES) as PageName[]).filter(name => {
    const { role } = PAGES[name];
    return role === undefined || roles.includes(role);
  });
}

/** The page of the navigation that a page belongs to. */
export const navOf = (page: PageName | "absent"): PageName | null =>
  page === "absent" ? null : (PAGES[page].above ?? page);

/** The commands that lead to pages. */
export function goCommands(roles: readonly string[]): Command[] {
  return pagesFor(roles).map(name => {
    const { key } = PAGES[name];
    return {
      id: `go.${name}`,
      title: t.command[name],
      section: "go",
      ...(key ? { keys: [key] } : {}),
      run: () => router.go(routeTo(name)),
    };
  });
}

/** Fetches every page that was not yet opened, so that it opens also when the node has gone. */
export function fetchPages(): void {
  for (const { load } of Object.values(PAGES)) load?.().catch(() => undefined);
}
