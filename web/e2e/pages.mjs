// Journeys of pages on which two people of one agency do what one alone may not.

import assert from "node:assert/strict";
import { Desk, SIZES } from "./desk.mjs";
import { raise, row, SLOW, title } from "./journeys.mjs";

const POLICE = "POLICE: Duty officer of the police";
const BORDER = "BORDER: Duty officer of the border guard";
const BORDER_CHIEF = "BORDER: Chief of operations of the border guard";

const found = name => `[data-testid="${name}"]`;

/** Looks at what is open as people see it: at the desk and in the hand, in the dark and by day. */
async function look(desk, name) {
  for (const [size, viewport] of Object.entries({ desk: SIZES.desk, hand: SIZES.hand })) {
    await desk.page.setViewportSize(viewport);
    await desk.page.waitForTimeout(250);
    await desk.fits(`${name}, ${size}`);
    for (const theme of ["light", "dark"]) {
      await desk.wear(theme);
      await desk.axe(`${name}, ${size}, ${theme}`);
      await desk.shot(`${name}-${theme}-${viewport.width}`);
    }
  }
  await desk.banner(name);
  await desk.page.setViewportSize(SIZES.desk);
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
];
