// The screens of a duty officer: every page, and where it has a list the first of it opened.

/** Pages as they are; a new one is a line here. */
const PAGES = [
  ...["watch", "map", "raise", "reports", "compose", "search", "feed", "entities", "operations"],
  ...["declare", "roster", "plans", "plan", "agreements", "lattice", "people", "agencies"],
  ...["why", "erasures", "settings", "nowhere"],
];

/** Lists of which the first row is opened as well. */
const OPENED = ["watch", "reports", "entities", "operations", "agreements", "people", "agencies"];

/** Names and addresses of all screens. */
export async function screens(desk) {
  const found = PAGES.map(page => [page, `/${page}`]);
  for (const page of OPENED) {
    await desk.go(`/${page}`);
    await desk.page.waitForSelector("[data-row]");
    const id = await desk.page.getAttribute("[data-row]", "data-row");
    found.push([`${page}-detail`, `/${page}/${id}`]);
    if (page === "entities") found.push(["graph", `/graph/${id}`]);
  }
  return found;
}
