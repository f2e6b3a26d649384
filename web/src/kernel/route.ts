// Addresses of pages: opaque ids only, for they reach logs and histories.

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Pages that show one thing. */
const SINGLE = [
  "raise",
  "compose",
  "declare",
  "plan",
  "roster",
  "search",
  "feed",
  "why",
  "lattice",
  "settings",
] as const;
/** Pages of a list, with one of it open or none. */
const LISTS = [
  "watch",
  "map",
  "reports",
  "operations",
  "entities",
  "graph",
  "agreements",
  "instrument",
  "people",
  "agencies",
  "inquiries",
  "ledger",
  "erasures",
  "webhooks",
  "plans",
] as const;

export type SinglePage = (typeof SINGLE)[number];
export type ListPage = (typeof LISTS)[number];
export type PageName = SinglePage | ListPage;

export type Route =
  { page: ListPage; id: string | null } | { page: SinglePage } | { page: "absent" };

/** Reads an address. */
export function routeOf(path: string): Route {
  const [first = "", second, ...more] = path.replace(/^\/|\/$/g, "").split("/");
  if (more.length > 0) return { page: "absent" };
  if (first === "" && second === undefined) return { page: "watch", id: null };
  const single = SINGLE.find(name => name === first);
  if (single && second === undefined) return { page: single };
  const list = LISTS.find(name => name === first);
  if (list && second === undefined) return { page: list, id: null };
  if (list && second !== undefined && ID.test(second)) return { page: list, id: second };
  return { page: "absent" };
}

/** Writes an address. */
export function pathOf(route: Route): string {
  if (route.page === "absent") return "/";
  return "id" in route && route.id ? `/${route.page}/${route.id}` : `/${route.page}`;
}

/** The address of a page with nothing open on it. */
export function routeTo(page: PageName): Route {
  const list = LISTS.find(name => name === page);
  return list ? { page: list, id: null } : { page: page as SinglePage };
}
