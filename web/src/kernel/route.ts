// Addresses of pages: opaque ids only, for they reach logs and histories.

export type Route =
  | { page: "watch"; id: string | null }
  | { page: "raise" }
  | { page: "reports"; id: string | null }
  | { page: "compose" }
  | { page: "agreements"; id: string | null }
  | { page: "people"; id: string | null }
  | { page: "agencies"; id: string | null }
  | { page: "inquiries"; id: string | null }
  | { page: "ledger"; id: string | null }
  | { page: "entities"; id: string | null }
  | { page: "operations"; id: string | null }
  | { page: "erasures"; id: string | null }
  | { page: "webhooks"; id: string | null }
  | { page: "plans"; id: string | null }
  | { page: "plan" }
  | { page: "declare" }
  | { page: "roster" }
  | { page: "search" }
  | { page: "settings" }
  | { page: "absent" };

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const SINGLE = ["raise", "compose", "declare", "plan", "roster", "search", "settings"] as const;
const LISTS = [
  "watch",
  "reports",
  "operations",
  "entities",
  "agreements",
  "people",
  "agencies",
  "inquiries",
  "ledger",
  "erasures",
  "webhooks",
  "plans",
] as const;

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
