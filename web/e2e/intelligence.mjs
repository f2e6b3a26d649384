// Journeys of intelligence and agreements: what is linked, found, told, explained and compared.

import assert from "node:assert/strict";
import { Desk } from "./desk.mjs";
import { raise, SLOW, title } from "./journeys.mjs";
import { look } from "./pages.mjs";

const POLICE = "POLICE: Duty officer of the police";
const FIRE = "FIRE: Duty officer of the fire service";
const INTEL = "INTEL: Duty officer of the service";
const CYBER_HEAD = "CYBER: Head of agreements";

const found = name => `[data-testid="${name}"]`;

export const intelligence = [
  {
    name: "links are followed by keys alone, and the banner is at least what is drawn",
    async run({ muster, one }) {
      const intel = await (await Desk.open(muster, one)).signIn(INTEL);
      const { page } = intel;
      await page.keyboard.press("g");
      await page.keyboard.press("e");
      await page.click(`${found("entities")} a:has-text("Autumn reconnaissance")`);
      await page.waitForSelector(`${found("entity")} ${found("graph-canvas")} canvas`);
      await look(intel, "entity");
      await page.keyboard.press("v");
      await page.waitForSelector(`${found("graph-size")}:has-text("4 entities")`);
      await page.focus(`${found("graph-nodes")} [data-row]:has-text("Harbour Lantern")`);
      await page.keyboard.press("Enter");
      const buyer = `${found("graph-nodes")} [data-row]:has-text("The buyer of accounts")`;
      await page.waitForSelector(buyer);
      assert.match((await intel.banner("graph")) ?? "", /^SECRET/);
      await page.focus(buyer);
      await page.keyboard.press("ArrowUp");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("p");
      await page.focus(`${found("graph-nodes")} [data-row]:has-text("Network scanner")`);
      await page.click(`${found("graph-nodes")} [data-row]:has-text("Network scanner")`);
      await page.keyboard.press("p");
      await page.waitForSelector(`${found("graph-way")}:has-text("3 relationships")`);
      await look(intel, "graph");
      // Whoever hides actors has the centre left, and no loose ends.
      await page.click(`${found("graph-types")} button:has-text("Tool")`);
      await page.waitForSelector(`${found("graph-nodes")} [data-row]:has-text("Network scanner")`, {
        state: "detached",
      });
      await page.click(`${found("graph-nodes")} [data-row]:has-text("Harbour Lantern")`);
      await page.keyboard.press("b");
      await page.waitForSelector(buyer, { state: "detached" });
      await intel.close();
    },
  },
  {
    name: "a standing query tells of what is new, and a row of the feed never moves",
    async run({ muster, one, two }) {
      const police = await (await Desk.open(muster, one)).signIn(POLICE);
      const fire = await (await Desk.open(muster, two)).signIn(FIRE);
      const word = `Quarry${String(Date.now() % 100_000)}`;
      await fire.go("/search");
      await fire.page.fill(found("search"), `${word.toLowerCase()} kind:al`);
      await fire.page.keyboard.press("ArrowDown");
      await fire.page.keyboard.press("Enter");
      await fire.page.waitForSelector(`${found("chips")}:has-text("alert")`);
      await fire.page.waitForSelector(`${found("search-status")}:has-text("Nothing")`);
      await fire.page.click(found("keep-query"));
      await fire.page.fill(found("query-name"), "Quarries");
      await fire.page.click('[role="dialog"] label:has-text("RESTRICTED")');
      await fire.page.click(found("confirm"));
      await fire.page.waitForSelector(`${found("queries")} :has-text("Quarries")`);
      await fire.page.keyboard.press("Escape");
      await fire.page.goto("/feed");
      await fire.page.waitForSelector(`${found("feed-box")} [role="article"]`);
      await fire.page.keyboard.press("j");
      const focused = '[role="article"]:focus';
      const before = await fire.page.locator(focused).boundingBox();
      const name = title(word);
      await raise(police, { name, audience: ["FIRE"], ladder: SLOW });
      await fire.page.waitForSelector(found("feed-fresh"));
      assert.deepEqual(await fire.page.locator(focused).boundingBox(), before);
      await look(fire, "feed");
      await fire.page.keyboard.press("u");
      await fire.page.waitForSelector(`${found("feed-box")} [role="article"]:has-text("${name}")`);
      await fire.page.click(`${found("query-notice")}:has-text("1")`);
      await fire.page.click(`${found("queries")} button:has-text("Quarries")`);
      await fire.page.waitForSelector(`${found("hits")} li:has-text("${name}") .new`);
      await fire.page.waitForSelector(found("query-notice"), { state: "detached" });
      await look(fire, "search-standing");
      await fire.page.click(`${found("queries")} .remove`);
      await fire.page.click('[role="dialog"] .primary');
      await fire.page.waitForSelector(`${found("queries")}`, { state: "detached" });
      await police.close();
      await fire.close();
    },
  },
  {
    name: "what keeps an agency from reading is said step by step",
    async run({ muster, one }) {
      const intel = await (await Desk.open(muster, one)).signIn(INTEL);
      const { page } = intel;
      await page.keyboard.press("g");
      await page.keyboard.press("y");
      await page.fill(found("why-search"), "persons airport");
      await page.click(`${found("why-found")} button >> nth=0`);
      await page.selectOption(found("why-agency-choice"), { label: "Fire and rescue service" });
      await page.waitForSelector(`${found("why-verdict")}:has-text("DOES NOT READ")`);
      await page.waitForSelector(`${found("why-clause")}[data-result="fails"] >> nth=0`);
      await page.waitForSelector(`${found("why-through")}:has-text("report:read") >> nth=0`);
      await look(intel, "why-page");
      await page.check('input[name="why-whom"][value="me"]');
      await page.waitForSelector(`${found("why-verdict")}:has-text("READS ALL")`);
      await intel.banner("why, myself");
      await intel.close();
    },
  },
  {
    name: "a draft is compared clause by clause, labels are a picture, sharing is counted",
    async run({ muster, one, two }) {
      const head = await (await Desk.open(muster, one)).signIn(CYBER_HEAD);
      const { page } = head;
      await head.go("/agreements");
      await page.click(`${found("agreements")} a:has-text("Exchange on cyber incidents")`);
      await page.click(found("draft-next"));
      await page.selectOption(`${found("draft-level")} >> nth=0`, { label: "SECRET" });
      await page.waitForSelector(`${found("compare-tally")}:has-text("1 changed")`);
      const changed = `${found("compare-clauses")} li`;
      await page.waitForSelector(`${changed} del:has-text("CONFIDENTIAL")`);
      await page.waitForSelector(`${changed} ins:has-text("SECRET")`);
      await look(head, "agreement-draft-compared");
      // What stood before is still there to be compared with what is proposed.
      await page.click(found("propose"));
      await page.waitForSelector(`${found("agreement-state")}:has-text("PROPOSED")`);
      await page.click(found("in-full"));
      await page.waitForSelector(`${found("reading")} li >> nth=1`);
      await look(head, "agreement-reading");
      await page.click(found("view-compare"));
      await page.waitForSelector(`${found("compare-with")} option:text("version 1 of this")`, {
        state: "attached",
      });
      await page.waitForSelector(`${changed} ins:has-text("SECRET")`);
      await page.click(found("replay-ask"));
      await page.waitForSelector(`${found("replay")}:has-text("looked at")`);
      await page.selectOption(found("compare-with"), { index: 1 });
      await page.waitForSelector(`${found("compare-tally")}:has-text("removed")`);
      await look(head, "agreement-compared");
      await head.go("/lattice");
      await page.waitForSelector(`${found("lattice")} svg`);
      await page.click("summary");
      await page.waitForSelector(`${found("lattice-table")} tr:has-text("OPEN"):has-text("yes")`);
      await look(head, "lattice");
      await head.close();
      const intel = await (await Desk.open(muster, two)).signIn(INTEL);
      await intel.go("/agencies");
      await intel.page.waitForSelector(`${found("sharing")} tbody tr:has-text("INTEL")`);
      await look(intel, "sharing");
      await intel.close();
    },
  },
];
