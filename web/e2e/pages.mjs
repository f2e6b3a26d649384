// Journeys of pages on which two people of one agency do what one alone may not.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Desk, SIZES } from "./desk.mjs";
import { fresh, live } from "./identity.mjs";
import { raise, row, SLOW, title } from "./journeys.mjs";

const POLICE = "POLICE: Duty officer of the police";
const FIELD = "POLICE: Commander in the field";
const FIRE = "FIRE: Duty officer of the fire service";
const BORDER = "BORDER: Duty officer of the border guard";
const BORDER_CHIEF = "BORDER: Chief of operations of the border guard";

const AMBULANCE = "AMBULANCE: Duty officer of the ambulance service";
const AMBULANCE_DEPUTY = "AMBULANCE: Deputy duty officer of the ambulance service";
const AMBULANCE_ADMIN = "AMBULANCE: Administrator of people and seats";
const MOD_CENTRE = "MOD: Duty officer of the centre";
const MOD_HEAD = "MOD: Head of the coordinating centre";

const found = name => `[data-testid="${name}"]`;

/** Looks at what is open as people see it: at the desk and in the hand, in the dark and by day. */
export async function look(desk, name) {
  for (const [size, viewport] of Object.entries({ desk: SIZES.desk, hand: SIZES.hand })) {
    await desk.page.setViewportSize(viewport);
    await desk.page.waitForTimeout(250);
    await desk.fits(`${name}, ${size}`);
    for (const theme of ["light", "dark"]) {
      await desk.wear(theme);
      if (size === "desk") await desk.axe(`${name}, ${theme}`);
      await desk.shot(`${name}-${theme}-${viewport.width}`);
    }
  }
  await desk.banner(name);
  await desk.page.setViewportSize(SIZES.desk);
}

/** Opens an operation of one's own agency alone, without a declaration. */
async function open(desk, name) {
  const { page } = desk;
  await desk.go("/operations");
  await page.click(found("open"));
  await page.click('#course-label label:has-text("OPEN")');
  await page.fill("#course-title", name);
  await page.click(found("confirm"));
  await page.waitForSelector(`${found("operation")} h2:has-text("${name}")`);
}

/** In the page: adds a person of one's own agency with a role that its administrators lack. */
async function addOfficer() {
  const me = await (await fetch("/api/me")).json();
  const schemes = { NAT: { level: 1, compartments: [] } };
  const body = { name: "Cato Newcomer", agency: me.agency, clearance: { schemes } };
  const answer = await fetch("/api/people", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    body: JSON.stringify({ ...body, roles: ["DUTY"], markings: schemes }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

export const pages = [
  {
    name: "an alert is erased: asked by one, approved by another, gone on a third screen",
    async run({ muster, one, two, note }) {
      const border = await (await Desk.open(muster, one)).signIn(BORDER);
      const police = await (await Desk.open(muster, two)).signIn(POLICE);
      const name = title("Named by mistake");
      const text = "A name that nobody should have written here.";
      await raise(border, { name, audience: ["POLICE"], ladder: SLOW, text });
      await police.page.click(row(name));
      await police.page.waitForSelector(`${found("alert")} h1:has-text("${name}")`);
      await border.page.waitForSelector(`${found("alert")} h1:has-text("${name}")`);
      await border.page.click('button:has-text("Erase")');
      await border.page.click(found("confirm"));
      await border.page.waitForSelector(`${found("error-summary")}:has-text("Give a reason")`);
      await border.page.fill("#reason", "ARCHIVES-ACT-12");
      await look(border, "dialog-erase");
      await border.page.click(found("confirm"));
      await border.page.waitForSelector(`${found("ordered")}:has-text("ARCHIVES-ACT-12")`);
      await look(border, "alert-erasure-asked");
      await border.page.click(`${found("ordered")} a`);
      await border.page.waitForSelector(found("erasure"));
      assert.equal(await border.page.locator(found("approve")).count(), 0);
      assert.equal(await border.page.locator(found("withdraw")).count(), 1);
      assert.equal(await police.page.locator(found("ordered")).count(), 0);

      const chief = await (await Desk.open(muster, one)).signIn(BORDER_CHIEF);
      await chief.authenticator();
      chief.meant.add("403");
      // By keys alone: to the page, to the request, to the signature.
      await chief.page.keyboard.press("g");
      await chief.page.keyboard.press("x");
      await chief.page.waitForSelector(`${found("erasures")} [data-row]`);
      await chief.page.keyboard.press("j");
      await chief.page.waitForSelector(`${found("erasure-state")}:has-text("ASKED FOR")`);
      await look(chief, "erasures");
      await chief.tabTo(found("approve"));
      await chief.page.keyboard.press("Enter");
      const accepted = chief.page
        .waitForResponse(answer => answer.ok() && answer.url().endsWith("/approval"))
        .then(() => Date.now());
      await chief.page.waitForSelector(`${found("confirm")}, ${found("add-passkey")}`);
      await chief.axe("ordering an erasure");
      await chief.shot("dialog-erasure-approve-dark");
      await chief.sign();
      await police.page.waitForSelector(`${found("ordered")}:has-text("ERASED BY ORDER")`);
      note(`gone on the third screen ${Date.now() - (await accepted)} ms after it was accepted`);
      const left = await police.page.innerText("body");
      assert.ok(!left.includes(name) && !left.includes(text), "nothing of it is on the screen");
      await chief.page.waitForSelector(`${found("erasure-state")}:has-text("ERASED")`);
      await chief.page.waitForSelector(found("portions"));
      await look(chief, "erasure-certificate");
      await look(police, "alert-erased");
      for (const desk of [border, chief, police]) {
        await desk.page.reload();
        await desk.page.waitForSelector('[data-testid="link"][data-state="live"]');
        assert.ok(!(await desk.page.innerText("body")).includes(name), "nor after reading anew");
      }
      for (const desk of [border, chief, police]) await desk.close();
    },
  },
  {
    name: "a plan is written by one, approved by another, and declared upon",
    async run({ muster, one, two }) {
      const planner = await (await Desk.open(muster, one)).signIn(MOD_CENTRE);
      const chief = await (await Desk.open(muster, two)).signIn(MOD_HEAD);
      const duty = await (await Desk.open(muster, two)).signIn(MOD_CENTRE);
      const name = title("Loss of a radio mast");
      await planner.page.keyboard.press("g");
      await planner.page.keyboard.press("n");
      await planner.page.click(found("write-plan"));
      await planner.page.waitForSelector("#name");
      await planner.page.click(found("propose"));
      const summary = `${found("error-summary")}:has-text("Choose the label of the plan")`;
      await planner.page.waitForSelector(summary);
      await look(planner, "plan-write-wrong");
      await planner.page.click('#plan-label label:has-text("RESTRICTED")');
      await planner.page.click('#incident-label label:has-text("RESTRICTED")');
      await planner.page.fill("#name", name);
      await planner.page.fill("#incident", "MAST-LOSS");
      await planner.page.click('#precedence label:has-text("PRIORITY")');
      await planner.page.fill("#text", "Go to the second mast and say when you are there.");
      await planner.page.click('#obliged label:has(.code:text-is("MOD"))');
      await planner.page.click(found("add-role"));
      await planner.page.fill('[aria-label="Name of role 1"]', "Commander");
      const seats = planner.page.locator('[aria-label="Seat of role 1"]');
      await seats.selectOption({ label: MOD_CENTRE });
      await planner.page.fill("#objectives", "Keep the net up\nFind the fault");
      await look(planner, "plan-write");
      await planner.page.focus("#text");
      await planner.page.keyboard.press("Control+Enter");
      await planner.page.waitForSelector(`${found("plan-state")}:has-text("PROPOSED")`);
      assert.equal(await planner.page.locator(found("approve")).count(), 0);

      // Nothing is declared by what waits.
      await duty.go("/declare");
      await duty.page.waitForSelector(`main:has-text("Declare an incident")`);
      assert.ok(!(await duty.page.innerText("main")).includes(name));

      await chief.authenticator();
      chief.meant.add("403");
      await chief.page.keyboard.press("g");
      await chief.page.keyboard.press("n");
      await chief.page.click(`${found("plans")} a:has-text("${name}")`);
      await look(chief, "plan-proposed");
      await chief.page.click(found("approve"));
      await chief.page.waitForSelector(`${found("confirm")}, ${found("add-passkey")}`);
      await chief.axe("approving a plan");
      await chief.sign();
      for (const desk of [chief, planner]) {
        await desk.page.waitForSelector(`${found("plan-state")}:has-text("IN FORCE")`);
      }
      await look(chief, "plan-in-force");

      await duty.page.click(`label:has-text("${name}")`);
      await duty.page.fill("#title", name);
      await duty.page.click(found("declare"));
      await duty.page.click(found("confirm"));
      await duty.page.waitForSelector(`${found("operation")} h2:has-text("${name}")`);
      await duty.page.waitForSelector(`${found("operation")}:has-text("Keep the net up")`);

      // What is revised and withdrawn is so on the other screen.
      await chief.page.click(found("revise"));
      await chief.page.fill("#objectives", "Keep the net up at any price");
      await chief.page.click(`footer ${found("revise")}`);
      await chief.page.waitForSelector(`${found("plan")}:has-text("at any price")`);
      await planner.page.waitForSelector(`${found("plan")}:has-text("at any price")`);
      await chief.page.click(found("withdraw"));
      await chief.page.fill("#reason", "replaced");
      await chief.page.click(found("confirm"));
      await planner.page.waitForSelector(`${found("plan-state")}:has-text("WITHDRAWN")`);
      for (const desk of [planner, chief, duty]) await desk.close();
    },
  },
  {
    name: "a watch is planned ahead, an overlap shows on both screens, and it is called off",
    async run({ muster, one, two }) {
      const centre = await (await Desk.open(muster, one)).signIn(MOD_CENTRE);
      const chief = await (await Desk.open(muster, two)).signIn(MOD_HEAD);
      for (const desk of [centre, chief]) await desk.go("/roster");
      const plan = async (starts, ends) => {
        await centre.page.selectOption("#watch-seat", { index: 1 });
        await centre.page.selectOption("#watch-person", { index: 1 });
        await centre.page.fill("#watch-starts", starts);
        await centre.page.fill("#watch-ends", ends);
        await centre.page.click(found("plan-watch"));
      };
      // An end before the beginning is said where it was typed, and nothing is lost.
      await plan("2031-03-01 14:00", "2031-03-01 06:00");
      await centre.page.waitForSelector("#watch-ends-fault");
      assert.equal(await centre.page.inputValue("#watch-starts"), "2031-03-01 14:00");
      const row = `${found("watches")} tr:has-text("010600ZMAR31")`;
      await plan("2031-03-01 06:00", "2031-03-01 14:00");
      for (const desk of [centre, chief]) await desk.page.waitForSelector(row);
      await plan("2031-03-01 13:00", "2031-03-01 22:00");
      for (const desk of [centre, chief]) {
        await desk.page.waitForSelector(`${row}:has-text("OVERLAP")`);
      }
      await look(centre, "watch-overlap");
      await centre.axe("watches ahead");
      await centre.page.click(`${row} ${found("cancel-watch")}`);
      await centre.page.fill("#reason", "exchanged");
      await centre.page.click(found("confirm"));
      for (const desk of [centre, chief]) {
        await desk.page.waitForSelector(row, { state: "detached" });
        assert.ok(!(await desk.page.innerText(found("watches"))).includes("OVERLAP"));
        await desk.close();
      }
    },
  },
  {
    name: "a report cites an alert, is released, and is revised on both screens",
    async run({ muster, one, two }) {
      const police = await (await Desk.open(muster, one)).signIn(POLICE);
      const fire = await (await Desk.open(muster, two)).signIn(FIRE);
      const [cause, name] = [title("Leak in the yard"), title("Report on the leak")];
      await raise(police, { name: cause, audience: ["FIRE"], ladder: SLOW, level: "OPEN" });
      await police.page.waitForSelector(`${found("alert")} h1:has-text("${cause}")`);
      await police.go("/compose");
      await police.page.click('#label label:has-text("RESTRICTED")');
      await police.page.fill("#title", name);
      await police.page.fill("#line-exact_location", "Track four");
      await police.page.fill("#line-hazards", "Gas");
      await police.page.fill(found("cites-filter"), cause);
      await police.page.click(`${found("cites")} label:has-text("${cause}")`);
      await police.page.click('label:has(.code:text-is("FIRE"))');
      await look(police, "report-compose-cites");
      await police.page.click('button[type="submit"]');
      await police.page.waitForSelector(`${found("report")} h2:has-text("${name}")`);
      await police.page.waitForSelector(`${found("cited")} a:has-text("${cause}")`);
      await fire.page.click('nav a[href="/reports"]');
      await fire.page.click(`a:has-text("${name}")`);
      await fire.page.waitForSelector(`${found("portions")}:has-text("Gas")`);
      assert.equal(await fire.page.locator(found("revise")).count(), 0);
      await police.page.click(found("revise"));
      await police.page.fill("#reason", "measured again");
      await police.page.click(found("confirm"));
      await police.page.waitForSelector(
        `${found("error-summary")}:has-text("Nothing was changed")`,
      );
      await police.page.fill(`${found("revised")} >> nth=1`, "Chlorine, not gas for heating");
      await look(police, "dialog-revise");
      await police.page.click(found("confirm"));
      for (const { page } of [police, fire]) {
        await page.waitForSelector(`${found("portions")}:has-text("Chlorine")`);
        await page.waitForSelector(`${found("portions")}:has-text("Track four")`);
        await page.waitForSelector(`${found("report")}:has-text("Earlier versions")`);
        await page.waitForSelector(`${found("revised-why")}:has-text("measured again")`);
      }
      await look(police, "report-revised");
      await police.close();
      await fire.close();
    },
  },
  {
    name: "a line is said under a lower label by two persons, and then it is read below",
    async run({ muster, one, two }) {
      const border = await (await Desk.open(muster, one)).signIn(BORDER);
      const chief = await (await Desk.open(muster, two)).signIn(BORDER_CHIEF);
      const name = title("Report with a source");
      for (const desk of [border, chief]) await desk.authenticator();
      for (const desk of [border, chief]) desk.meant.add("403");
      await border.go("/compose");
      await border.page.click('#label label:has-text("RESTRICTED")');
      await border.page.fill("#title", name);
      await border.page.fill("#line-exact_location", "Track six");
      await border.page.fill("#line-hazards", "A man in a grey coat saw two rifles");
      await border.page.click('button[aria-controls="mark-hazards"]');
      await border.page.click('#mark-hazards label:has-text("SECRET")');
      await border.page.click('label:has(.code:text-is("POLICE"))');
      await border.page.click('button[type="submit"]');
      await border.page.waitForSelector(`${found("report")} h2:has-text("${name}")`);
      await border.page.click(found("downgrade-more"));
      await border.page.click(found("downgrade-next"));
      await border.page.waitForSelector(`${found("error-summary")}:has-text("reason")`);
      await border.page.fill(found("downgraded"), "Two rifles were seen");
      await border.page.fill("#downgrade-reason", "Crews have to know");
      await look(border, "dialog-downgrade");
      await border.page.click(found("downgrade-next"));
      await border.page.waitForSelector(`${found("confirm")}, ${found("add-passkey")}`);
      await look(border, "dialog-downgrade-sign");
      await border.sign();
      await border.page.waitForSelector(`${found("downgrade")}:has-text("waits")`);
      assert.equal(await border.page.locator(found("countersign")).count(), 0);
      await chief.page.click('nav a[href="/reports"]');
      await chief.page.click(`a:has-text("${name}")`);
      await chief.page.waitForSelector(`${found("downgrade")}:has-text("Two rifles were seen")`);
      await look(chief, "report-downgrade");
      await chief.page.click(found("countersign"));
      await chief.page.waitForSelector(`${found("confirm")}, ${found("add-passkey")}`);
      await chief.axe("countersigning a downgrade");
      await chief.sign();
      await border.page.waitForSelector(`${found("downgrade")}:has-text("downgraded")`);
      await chief.close();
      await border.close();
      const field = await (await Desk.open(muster, two)).signIn(FIELD);
      await field.page.click('nav a[href="/reports"]');
      await field.page.click(`a:has-text("${name}")`);
      await field.page.waitForSelector(`${found("portions")}:has-text("Two rifles were seen")`);
      const shown = await field.page.textContent(found("report"));
      assert.ok(!shown.includes("grey coat"), "the source stays above");
      assert.equal(await field.page.locator(found("downgrade")).count(), 0);
      await field.close();
    },
  },
  {
    name: "a file is attached to a report, marked higher than it, and kept by who may read it",
    async run({ muster, one, two }) {
      const police = await (await Desk.open(muster, one)).signIn(POLICE);
      const fire = await (await Desk.open(muster, two)).signIn(FIRE);
      const name = title("Report with files");
      await police.go("/compose");
      await police.page.click('#label label:has-text("RESTRICTED")');
      await police.page.fill("#title", name);
      await police.page.fill("#line-exact_location", "Track five");
      const csv = (file, text) => ({
        name: file,
        mimeType: "text/csv",
        buffer: Buffer.from(text),
      });
      const sketch = csv("sketch.csv", "place,what\ntrack 5,signal box\n");
      await police.page.setInputFiles("#files", [sketch, csv("sources.csv", "who\nnobody\n")]);
      await police.page.waitForSelector(`${found("file")} >> nth=1`);
      // What only looks like an image is not taken, and the others stay.
      police.meant.add("400");
      const image = { name: "photo.png", mimeType: "image/png", buffer: Buffer.from("<html>") };
      await police.page.setInputFiles("#files", [image]);
      await police.page.waitForSelector(`${found("error-summary")}:has-text("photo.png")`);
      assert.equal(await police.page.locator(found("file")).count(), 2);
      await police.page.click(`${found("file")}:has-text("sources.csv") button >> nth=0`);
      await police.page.click('#file-mark-1 label:has-text("SECRET")');
      await police.page.click('label:has(.code:text-is("FIRE"))');
      await look(police, "report-compose-files");
      await police.page.click('button[type="submit"]');
      await police.page.waitForSelector(`${found("files")} a >> nth=1`);
      await fire.page.click('nav a[href="/reports"]');
      await fire.page.click(`a:has-text("${name}")`);
      const [kept] = await Promise.all([
        fire.page.waitForEvent("download"),
        fire.page.click(`${found("files")} a:has-text("sketch.csv")`),
      ]);
      assert.equal(kept.suggestedFilename(), "sketch.csv");
      assert.equal(await readFile(await kept.path(), "utf8"), sketch.buffer.toString());
      assert.equal(await fire.page.locator(`${found("files")} a`).count(), 1);
      await look(fire, "report-files");
      await police.close();
      await fire.close();
    },
  },
  {
    name: "an operation is opened without a declaration, and its course is set by keys",
    async run({ muster, one }) {
      const police = await (await Desk.open(muster, one)).signIn(POLICE);
      const { page } = police;
      const name = title("Visit of a head of state");
      await police.go("/operations");
      await page.click(found("open"));
      await page.click(found("confirm"));
      await page.waitForSelector(`${found("error-summary")} a >> nth=1`);
      await look(police, "dialog-open");
      await page.click('#course-label label:has-text("RESTRICTED")');
      await page.fill("#course-title", name);
      await page.fill("#course-place", "60.1719, 24.9414");
      await page.fill("#course-objectives", "Keep the route free\nKnow who is near it");
      await page.click(found("confirm"));
      await page.waitForSelector(`${found("operation")} h2:has-text("${name}")`);
      await police.tabTo(found("course"), 160);
      await page.keyboard.press("Enter");
      await police.tabTo("#course-phase");
      await page.keyboard.press("Control+a");
      await page.keyboard.type("Recovery");
      await look(police, "dialog-course");
      await police.tabTo(found("confirm"));
      await page.keyboard.press("Enter");
      await page.waitForSelector(`${found("operation")} header:has-text("Recovery")`);
      const text = await page.textContent(found("operation"));
      assert.ok(text.includes("Know who is near it"), "what was not set anew stays");
      await police.close();
    },
  },
  {
    name: "an incident is declared from the place of a first report, not above its label",
    async run({ muster, one }) {
      const police = await (await Desk.open(muster, one)).signIn(POLICE);
      const { page } = police;
      const write = async (level, name) => {
        await police.go("/compose");
        await page.click(`#label label:has-text("${level}")`);
        await page.fill("#title", name);
        await page.fill("#place", "60.1986, 24.9337");
        await page.fill("#line-type_of_incident", "Derailed train.");
        await page.click('button[type="submit"]');
        await page.waitForSelector(`${found("report")} h2:has-text("${name}")`);
        await page.click(found("declare-from"));
        await page.waitForSelector("#title");
        assert.equal(await page.inputValue("#title"), name);
        assert.equal(await page.inputValue("#place"), "60.1986, 24.9337");
        await page.click(found("declare"));
      };
      await write("SECRET", title("Sabotage of the line"));
      await page.waitForSelector(`${found("error-summary")}:has-text("write them anew")`);
      assert.equal(await page.locator(found("confirm")).count(), 0);
      const name = title("Train off its rails");
      await write("RESTRICTED", name);
      await page.click(found("confirm"));
      await page.waitForSelector(`${found("operation")} h2:has-text("${name}")`);
      await look(police, "declared-from-report");
      await page.click(found("stand-down"));
      await page.fill("#reason", "Nobody is hurt");
      await page.click(found("confirm"));
      await page.waitForSelector(`${found("declaration")}:has-text("Stood down")`);
      await police.close();
    },
  },
  {
    name: "an agency joins an operation, a role is assigned, and the agency is taken out",
    async run({ muster, one, two, note }) {
      const police = await (await Desk.open(muster, one)).signIn(POLICE);
      const border = await (await Desk.open(muster, two)).signIn(BORDER);
      // Its page asks once more for what was taken off it, and learns that it is absent.
      border.meant.add("404");
      let asked = 0;
      border.page.on("response", answer => (asked += answer.status() === 404 ? 1 : 0));
      const name = title("Search of the harbour");
      await open(police, name);
      await border.page.click('nav a[href="/operations"]');
      assert.equal(await border.page.locator(`a:has-text("${name}")`).count(), 0);
      await police.page.click(found("join"));
      await police.page.click('label:has(.code:text-is("BORDER"))');
      await look(police, "dialog-join");
      const began = Date.now();
      await police.page.click(found("confirm"));
      await border.page.waitForSelector(`${found("operations")} a:has-text("${name}")`);
      note(`on the desk of the agency that joined after ${Date.now() - began} ms`);
      await border.page.click(`${found("operations")} a:has-text("${name}")`);
      await border.page.waitForSelector(`${found("operation")} h2:has-text("${name}")`);
      for (const only of ["join", "assign", "remove"]) {
        assert.equal(await border.page.locator(found(only)).count(), 0, `${only} is the opener's`);
      }
      await police.page.click(found("assign"));
      await police.page.click(found("confirm"));
      await police.page.waitForSelector(
        `${found("error-summary")}:has-text("Give the role a name")`,
      );
      await police.page.fill("#role-name", "Boats");
      await police.page.selectOption("#role-seat", { label: BORDER });
      await look(police, "dialog-assign");
      await police.page.click(found("confirm"));
      for (const { page } of [police, border]) {
        await page.waitForSelector(`${found("operation")} tr:has-text("Boats")`);
      }
      await look(police, "operation-run");
      await police.page.click(found("remove"));
      await police.page.fill("#reason", "the boats are back");
      await police.page.click(found("confirm"));
      await border.page.waitForSelector(`text=${name}`, { state: "detached" });
      await police.page.waitForSelector(found("member"));
      assert.equal(await police.page.locator(found("member")).count(), 1);
      await border.page.waitForSelector("text=There is no such record");
      await border.page.waitForTimeout(1500);
      assert.ok(asked <= 3, `asked ${asked} times for what is absent`);
      await police.close();
      await border.close();
    },
  },
  {
    name: "a handover is signed by both officers, and the seat changes hands with its brief",
    async run({ muster, one, two }) {
      const outgoing = await (await Desk.open(muster, one)).signIn(AMBULANCE);
      const incoming = await (await Desk.open(muster, two)).signIn(AMBULANCE_DEPUTY);
      for (const desk of [outgoing, incoming]) {
        await desk.authenticator();
        desk.meant.add("403");
        await desk.page.keyboard.press("g");
        await desk.page.keyboard.press("h");
        await desk.page.waitForSelector(`${found("roster")} tr:has-text("Duty officer")`);
      }
      const who = async ({ page }) =>
        (await page.evaluate(async () => (await fetch("/api/me")).json())).name;
      const [from, to] = [await who(outgoing), await who(incoming)];
      const seat = 'tr:has(a:text-is("Duty officer of the ambulance service"))';
      await outgoing.page.waitForSelector(`${found("roster")} ${seat}:has-text("${from}")`);
      await outgoing.page.selectOption("#to", { label: to });
      await outgoing.page.fill("#notes", "Two wards are full.");
      await outgoing.page.click(found("propose"));
      await outgoing.page.waitForSelector(`${found("confirm")}, ${found("add-passkey")}`);
      await look(outgoing, "dialog-handover-propose");
      await outgoing.sign();
      const brief = `${found("handovers")} li:has-text("Two wards are full.")`;
      for (const { page } of [outgoing, incoming]) {
        await page.waitForSelector(`${brief}:has-text("Waits for the signature")`);
      }
      // The seat is still held as it was, and the outgoing officer cannot sign for the other.
      await incoming.page.waitForSelector(`${found("roster")} ${seat}:has-text("${from}")`);
      assert.equal(await outgoing.page.locator(found("sign")).count(), 0);
      await look(incoming, "roster-handover");
      await incoming.page.click(`${brief} ${found("sign")}`);
      await incoming.page.waitForSelector(`${found("confirm")}, ${found("add-passkey")}`);
      await incoming.axe("signing a handover");
      await incoming.sign();
      for (const { page } of [outgoing, incoming]) {
        await page.waitForSelector(`${brief}:has-text("Signed")`);
        await page.waitForSelector(`${found("roster")} ${seat}:has-text("${to}")`);
      }
      await outgoing.close();
      await incoming.close();
    },
  },
  {
    name: "a code that gives more than its issuer has waits for another administrator",
    async run({ muster, one, two }) {
      const node = await fresh(muster.binary);
      try {
        const bruno = await Desk.open(node, one);
        bruno.meant.add("401");
        const first = await bruno.authenticator();
        await bruno.page.goto("/");
        await bruno.page.fill("#code", node.code);
        await bruno.page.fill("#agency", "Ministry of Defence");
        await bruno.page.fill("#agency-code", "MOD");
        await bruno.page.fill("#name", "Aino Administrator");
        await bruno.page.click(found("found"));
        await bruno.page.waitForSelector("text=The second administrator");
        // The first person takes their passkey along to a browser of their own.
        const { cdp, authenticatorId } = first;
        const { credentials } = await cdp.send("WebAuthn.getCredentials", { authenticatorId });
        await cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
        await bruno.authenticator();
        await bruno.page.fill("#name", "Bruno Administrator");
        await bruno.page.click(found("found"));
        await bruno.page.click(found("sign-in"));
        await bruno.page.waitForSelector(live);
        const aino = await Desk.open(node, two);
        aino.meant.add("401");
        await aino.page.goto("/");
        const own = await aino.authenticator();
        for (const credential of credentials) {
          const { authenticatorId: into } = own;
          await own.cdp.send("WebAuthn.addCredential", { authenticatorId: into, credential });
        }
        await aino.page.click(found("sign-in"));
        await aino.page.waitForSelector(live);

        await aino.page.evaluate(addOfficer);
        const issue = 'a:has-text("Cato Newcomer")';
        await aino.go("/people");
        await aino.page.click(issue);
        await aino.page.click(found("issue"));
        const link = await aino.page.textContent(found("enrol-link"));
        await aino.page.waitForSelector(found("confirm-code"));
        await look(aino, "admit-waiting");
        aino.meant.add("403");
        await aino.page.click(found("confirm-code"));
        const alone = "Another administrator than the one who issued it";
        await aino.page.waitForSelector(`${found("error-summary")}:has-text("${alone}")`);

        const cato = await Desk.open(node, two);
        for (const status of ["401", "403"]) cato.meant.add(status);
        await cato.authenticator();
        await cato.page.goto(link);
        await cato.page.fill("#name", "Key of Cato");
        await cato.page.click(found("enrol"));
        const waits = "another administrator must confirm it";
        await cato.page.waitForSelector(`${found("error-summary")}:has-text("${waits}")`);
        await cato.shot("enrol-waits-dark");

        await bruno.go("/people");
        await bruno.page.click(issue);
        await bruno.page.click(found("confirm-code"));
        await bruno.page.waitForSelector(found("confirm-code"), { state: "detached" });
        await cato.page.click(found("enrol"));
        await cato.page.waitForSelector(live);
        const me = await cato.page.evaluate(async () => (await fetch("/api/me")).json());
        assert.deepEqual([me.name, me.roles], ["Cato Newcomer", ["DUTY"]]);
        for (const desk of [aino, bruno, cato]) await desk.close();
      } finally {
        await node.stop();
      }
    },
  },
  {
    name: "webhooks: a secret is shown once, a test is taken, and what is not listed is barred",
    async run({ muster, one }) {
      const desk = await (await Desk.open(muster, one)).signIn(AMBULANCE_ADMIN);
      const { page } = desk;
      await page.keyboard.press("g");
      await page.keyboard.press("k");
      // The play registers one for the dispatch system.
      await page.click(`${found("webhooks")} a`, { timeout: 120_000 });
      await page.click(found("ping"));
      await page.waitForSelector(`${found("pinged")}:has-text("204")`);
      await page.waitForSelector(`${found("deliveries")}:has-text("taken, 204")`);
      await look(desk, "webhook");

      await page.click(found("register-webhook"));
      await page.click(found("confirm"));
      await page.waitForSelector(`${found("error-summary")}:has-text("Choose the account")`);
      await page.selectOption(found("webhook-account"), { label: "Dispatch" });
      await page.fill(found("webhook-url"), "https://unlisted.example/alerts");
      await page.click('#webhook-label input[type="radio"]');
      await look(desk, "webhook-register");
      await page.click(found("confirm"));
      const secret = await page.textContent(found("secret"));
      assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
      await page.waitForSelector(`${found("webhook-state")}:has-text("BARRED")`);
      await look(desk, "webhook-secret");
      const address = new URL(page.url()).pathname;
      await desk.go("/webhooks");
      await desk.go(address);
      await page.waitForSelector(found("refused"));
      assert.equal(await page.isVisible(found("secret")), false, "it is shown once");
      assert.ok(!(await page.content()).includes(secret));

      // Its outbox may be asked for once more while it is removed.
      desk.meant.add("404");
      await page.click(found("remove"));
      await page.click(found("confirm"));
      await page.waitForSelector(`${found("webhook-state")}:has-text("REMOVED")`);
      await desk.close();
    },
  },
];
