// Journeys of the common picture, the palette, and what a device keeps.

import assert from "node:assert/strict";
import { Desk, SIZES } from "./desk.mjs";
import { raise, SLOW, title } from "./journeys.mjs";

const POLICE = "POLICE: Duty officer of the police";
const FIRE = "FIRE: Duty officer of the fire service";
const INTEL = "INTEL: Duty officer of the service";

const found = name => `[data-testid="${name}"]`;
const thing = name => `${found("things")} button:has-text("${name}")`;

/** In the page: opens an operation with another agency. */
async function openWith({ title, code }) {
  const { items } = await (await fetch("/api/agencies?limit=200")).json();
  const other = items.find(({ layers }) => layers[0]?.body.code === code);
  const answer = await fetch("/api/operations", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    body: JSON.stringify({
      title,
      agencies: [other.id],
      markings: { NAT: { level: 1, compartments: [] } },
    }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

/** Makes a drawing of a circle with the keyboard's means: typed positions. */
async function drawCircle(page, name, { anew = false, operation = "" } = {}) {
  if (!anew) {
    await page.keyboard.press("b");
    await page.waitForSelector(found("make"));
    await page.click('#label label:has-text("RESTRICTED")');
    await page.waitForSelector(`#operation option:has-text("${operation}")`, { state: "attached" });
    await page.selectOption("#operation", { label: operation });
    await page.check('input[name="shape-0"][value="circle"]');
    await page.fill("#positions-0", "35V LG 85727 71930");
  }
  await page.fill("#title", name);
  await page.fill("#radius-0", anew ? "750" : "250");
  await page.click(`${found("make")} button[type="submit"]`);
  await page.waitForSelector(`${found("thing")} h2:has-text("${name}")`);
}

/** What the device keeps, once there is something: the bytes as text. */
async function kept(page) {
  const read = async () => {
    const open = indexedDB.open("muster");
    await new Promise(done => (open.onsuccess = done));
    const rows = open.result.transaction("kept").objectStore("kept").getAll();
    await new Promise(done => (rows.onsuccess = done));
    open.result.close();
    return rows.result.map(({ bytes }) => new TextDecoder().decode(bytes));
  };
  let rows = [];
  for (let tries = 0; tries < 500 && rows.length === 0; tries += 1)
    rows = await page.evaluate(read);
  return rows;
}

export const picture = [
  {
    name: "the common picture: chosen, measured, drawn for an operation, seen by a partner, withdrawn",
    async run({ muster, one, two, note }) {
      const police = await (await Desk.open(muster, one)).signIn(POLICE);
      const fire = await (await Desk.open(muster, two)).signIn(FIRE);
      const { page } = police;
      await police.go("/map");
      await fire.go("/map");
      await page.waitForSelector(`${found("picture")}[data-stage="drawn"]`);
      await page.click(thing("Major incident"));
      await page.waitForSelector(`${found("thing")} h2:has-text("Major incident")`);
      assert.match(await page.innerText(found("thing")), /35V LG \d{5} \d{5}/);
      await police.shot("map-chosen");
      await police.axe("map, dark");

      await page.keyboard.press("m");
      await page.fill(`${found("measure")} textarea`, "60.1719, 24.9414\n59.4370, 24.7536");
      const measured = await page.innerText(found("measured"));
      assert.match(measured, /82\.\d km/);
      await page.click(`${found("measure")} button >> nth=1`);

      const [name, operation] = [title("Outer cordon"), title("The hall")];
      await page.evaluate(openWith, { title: operation, code: "FIRE" });
      await drawCircle(page, name, { operation });
      const began = Date.now();
      await fire.page.waitForSelector(thing(name));
      note(`a drawing is on the partner's picture after ${Date.now() - began} ms`);
      await fire.page.click(thing(name));
      const seen = await fire.page.innerText(found("thing"));
      assert.match(seen, /250 m/);
      assert.doesNotMatch(seen, /Draw anew/, "only who drew it changes it");
      await fire.shot("map-drawing");

      await page.click('button:has-text("Draw anew")');
      await page.waitForSelector("#radius-0");
      await drawCircle(page, name, { anew: true });
      await fire.page.waitForSelector(`${found("thing")}:has-text("750 m")`);
      await page.click('button:has-text("Withdraw")');
      await page.fill("#reason", "The hall is open again");
      await page.click(found("confirm"));
      await fire.page.waitForSelector(thing(name), { state: "detached" });
      await police.wear("light");
      await police.axe("map, light");
      await police.banner("map");
      for (const desk of [police, fire]) await desk.close();
    },
  },
  {
    name: "the picture is frozen while alerts wait, and looked back to when they were not there",
    async run({ muster, one, two }) {
      const police = await (await Desk.open(muster, one)).signIn(POLICE);
      const fire = await (await Desk.open(muster, two)).signIn(FIRE);
      const { page } = police;
      await police.go("/map");
      await page.waitForSelector(thing("Major incident"));
      await page.keyboard.press("z");
      await page.waitForSelector(found("frozen"));
      const name = title("Smoke seen from the road");
      const place = "60.2000, 25.1000";
      await raise(fire, { name, audience: ["POLICE"], ladder: SLOW, place });
      await page.waitForSelector(`${found("frozen")}:has-text("1 change waits")`);
      assert.equal(await page.locator(thing(name)).count(), 0, "a frozen picture does not move");
      await page.keyboard.press("z");
      await page.waitForSelector(thing(name));

      // Five hours back nothing of this was there; nobody draws on the past.
      const slider = `${found("slider")} input`;
      await page.focus(slider);
      for (let n = 0; n < 30; n += 1) await page.keyboard.press("ArrowLeft");
      await page.waitForSelector(`${found("past")}:has-text("the picture as it was")`);
      await page.waitForSelector(thing(name), { state: "detached" });
      await police.shot("map-past");
      assert.equal(
        await page.getAttribute('.tools button:has-text("Draw")', "aria-disabled"),
        "true",
      );
      await page.click(`${found("slider")} button:has-text("Now")`);
      await page.waitForSelector(thing(name));
      await page.setViewportSize({ width: 390, height: 844 });
      await police.fits("map in the hand");
      await police.shot("map-390");
      for (const desk of [police, fire]) await desk.close();
    },
  },
  {
    name: "the palette leads to a place, a time, and records that this browser does not hold",
    async run({ muster, one }) {
      const police = await (await Desk.open(muster, one)).signIn(POLICE);
      const { page } = police;
      const type = async text => {
        await page.keyboard.press("Control+k");
        await page.waitForSelector(found("palette"));
        await page.keyboard.type(text);
      };
      await type("35V LG 85727 71930");
      await page.waitForSelector('[role="option"]:has-text("on the map")');
      await page.keyboard.press("Enter");
      await page.waitForURL(/\/map$/);
      assert.doesNotMatch(page.url(), /60/, "no place stands in an address");
      await type("221930ZNOV26");
      await page.waitForSelector('[role="option"]:has-text("changed after 221930ZNOV26")');
      await page.keyboard.press("Enter");
      await page.waitForURL(/\/search$/);
      await type("storage tank");
      await page.waitForSelector('[role="option"]:has-text("Smoke from a storage tank")');
      await police.shot("palette");
      await page.keyboard.press("Escape");
      await page.waitForSelector(found("palette"), { state: "detached" });
      await police.close();
    },
  },
  {
    name: "a draft outlives the browser's page, sealed, and opens for its author alone",
    async run({ muster, one }) {
      const police = await (await Desk.open(muster, one)).signIn(POLICE);
      const { page } = police;
      const text = "Half a sentence about the north gate";
      await police.go("/raise");
      await page.fill("#title", text);
      const rows = await kept(page);
      assert.equal(rows.length, 1);
      for (const bytes of rows) assert.ok(!bytes.includes("north gate"), "it is sealed");
      await page.reload();
      await page.waitForFunction(t => document.querySelector("#title")?.value === t, text);

      // Somebody else on the same device finds nothing of it.
      await page.goto(muster.link(FIRE));
      await police.go("/raise");
      await page.waitForSelector("#title");
      assert.equal(await page.inputValue("#title"), "");
      await page.goto(muster.link(POLICE));
      await police.go("/raise");
      await page.waitForFunction(t => document.querySelector("#title")?.value === t, text);
      await police.close();
    },
  },
  {
    name: "the wall: alerts, map and operations in turn, up to its own ceiling, with no hand on it",
    async run({ muster, one, two }) {
      const police = await (await Desk.open(muster, one, { size: SIZES.wall })).signIn(POLICE);
      const fire = await (await Desk.open(muster, two)).signIn(FIRE);
      const intel = await (await Desk.open(muster, two)).signIn(INTEL);
      const { page } = police;
      const wall = view => `${found("wall")}[data-view="${view}"]`;
      await police.go("/watch?wall=1");
      await page.waitForSelector(wall("alerts"));
      assert.equal(await page.locator("nav, main button, main a").count(), 0, "nothing to work on");
      await page.keyboard.press("Control+k");
      assert.equal(await page.locator(found("palette")).count(), 0);
      const [name, above] = [title("Fuel on the quay"), title("A name on a list")];
      await raise(fire, { name, audience: ["POLICE"], ladder: SLOW });
      const level = "CONFIDENTIAL";
      await raise(intel, { name: above, audience: ["POLICE"], ladder: SLOW, level });
      for (const one of [name, above]) {
        await page.waitForSelector(`${wall("alerts")} li:has-text("${one}")`);
      }
      await page.waitForSelector(`${wall("alerts")} .deaf:has-text("POLICE")`);
      await page.keyboard.press(" ");
      await police.shot("wall-alerts");
      await police.axe("wall");
      await police.banner("wall");
      const height = await page.evaluate(() => {
        const title = document.querySelector(".rows .title");
        return Number.parseFloat(getComputedStyle(title).fontSize);
      });
      assert.ok(height >= 28, `${height} px are not read from three metres`);
      await page.keyboard.press("ArrowRight");
      await page.waitForSelector(wall("map"));
      await police.shot("wall-map");
      await page.keyboard.press("ArrowRight");
      await page.waitForSelector(`${wall("operations")} li:has-text("Major incident")`);
      await police.shot("wall-operations");

      // A ceiling of its own: what stands above is neither shown nor counted.
      await police.go("/settings");
      await page.click('#ceiling label:has-text("RESTRICTED")');
      await police.go("/watch?wall=1");
      await page.waitForSelector(`${wall("alerts")} li:has-text("${name}")`);
      const shown = await page.innerText(found("wall"));
      assert.ok(!shown.includes(above), shown);
      assert.doesNotMatch(shown, /\((C|S|TS)\b/);
      assert.doesNotMatch(await police.banner("a low wall"), /CONFIDENTIAL|SECRET/);
      for (const desk of [police, fire, intel]) await desk.close();
    },
  },
  {
    name: "a view is saved, opened by its key after a reload, and nobody else's; roles have their homes",
    async run({ muster, one }) {
      const police = await (await Desk.open(muster, one)).signIn(POLICE);
      const { page } = police;
      await police.go("/reports");
      await page.waitForSelector(`${found("reports")} [data-row], [data-row]`);
      await page.keyboard.press("/");
      await page.keyboard.type("smoke");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Shift+V");
      await page.fill(found("view-name"), "Smoke");
      await page.click(found("confirm"));
      await page.waitForSelector(found("view-name"), { state: "detached" });
      assert.equal((await kept(page)).length, 1);
      await police.go("/watch");
      await page.waitForSelector('[data-testid="alerts"] [data-row]');
      await page.keyboard.press("Control+k");
      await page.keyboard.type("View: Smoke");
      await page.waitForSelector('[role="option"]:has-text("View: Smoke")');
      await page.keyboard.press("Escape");
      await page.keyboard.press("Alt+1");
      await page.waitForURL(/\/reports$/);
      await page.waitForFunction(() => document.querySelector(".head input")?.value === "smoke");

      await page.goto(muster.link(FIRE));
      await police.go("/watch");
      await page.keyboard.press("Control+k");
      await page.waitForSelector(found("palette"));
      await page.keyboard.type("View:");
      assert.equal(await page.locator('[role="option"]:has-text("View: Smoke")').count(), 0);
      await police.close();

      const homes = [
        ["MOD: Inspector general", "/ledger"],
        ["INTEL: Analyst, terrorism", "/feed"],
        ["CYBER: Head of agreements", "/agreements"],
      ];
      for (const [role, home] of homes) {
        const desk = await (await Desk.open(muster, one)).signIn(role);
        await desk.page.goto("/");
        await desk.page.waitForURL(`**${home}`);
        await desk.close();
      }
    },
  },
];
