// Journeys of identity: passkeys in a real browser, by Chromium's own authenticator.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Desk } from "./desk.mjs";

const POLICE = "POLICE: Duty officer of the police";
export const live = '[data-testid="link"][data-state="live"]';

async function signOut({ page }) {
  await page.evaluate(async () => {
    const headers = { "Content-Type": "application/json" };
    await fetch("/api/me/departure", { method: "POST", headers, body: "{}" });
  });
  await page.goto("/");
  await page.waitForSelector('[data-testid="sign-in"]');
}

/** A node that is no demonstration, with the one-time code that it prints. */
export async function fresh(binary) {
  const server = createServer();
  await new Promise(resolve => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise(resolve => server.close(resolve));
  const folder = mkdtempSync(join(tmpdir(), "muster-new-"));
  const args = ["serve", "--data", join(folder, "node"), "--listen", `127.0.0.1:${port}`];
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", data => (output += data));
  child.stderr.on("data", data => (output += data));
  for (let tries = 0; tries < 300 && !output.includes("listening on"); tries += 1) {
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  const code = /one-time code\s+(\S+)/.exec(output)?.[1];
  assert.ok(code, `a code is printed in:\n${output}`);
  const stop = async () => {
    const ended = new Promise(resolve => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { url: `http://localhost:${port}`, code, stop };
}

/** In the page: adds a person of one's own agency, without rights. */
async function addPerson() {
  const me = await (await fetch("/api/me")).json();
  const schemes = { NAT: { level: 1, compartments: [] } };
  const body = { name: "Cato Newcomer", agency: me.agency, clearance: { schemes }, roles: [] };
  const answer = await fetch("/api/people", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    body: JSON.stringify({ ...body, markings: schemes }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

export const identity = [
  {
    name: "identity: a passkey is enrolled, signs in, and is of no use once it is removed",
    async run({ muster, one }) {
      const desk = await (await Desk.open(muster, one)).signIn(POLICE);
      desk.meant.add("401");
      await desk.authenticator();
      await desk.go("/settings");
      await desk.page.fill("#passkey-name", "Key of the journey");
      await desk.page.click('[data-testid="add-own"]');
      await desk.page.waitForSelector("text=Key of the journey");
      await desk.axe("settings with a passkey");
      await desk.fits("settings with a passkey");
      await desk.shot("settings-passkeys-dark");
      await signOut(desk);
      await desk.axe("sign-in");
      await desk.shot("sign-in-dark");
      await desk.page.click('[data-testid="sign-in"]');
      await desk.page.waitForSelector(live);
      await desk.go("/settings");
      await desk.page.click('li:has-text("Key of the journey") [data-testid="remove-passkey"]');
      await desk.page.click('[data-testid="confirm"]');
      // The session was opened by this passkey, and so it ends with it.
      await desk.page.waitForSelector('[data-testid="sign-in"]');
      await desk.page.click('[data-testid="sign-in"]');
      await desk.page.waitForSelector("text=The node refused the passkey");
      await desk.close();
    },
  },
  {
    name: "identity: two people set up a node, and one lets a third in",
    async run({ muster, one, two }) {
      const node = await fresh(muster.binary);
      try {
        const aino = await Desk.open(node, one);
        aino.meant.add("401");
        const first = await aino.authenticator();
        await aino.page.goto("/");
        await aino.page.waitForSelector('[data-testid="founding"]');
        await aino.axe("set-up");
        await aino.shot("founding-dark");
        await aino.page.fill("#code", node.code.toUpperCase());
        await aino.page.fill("#agency", "Ministry of Defence");
        await aino.page.fill("#agency-code", "MOD");
        await aino.page.fill("#name", "Aino Administrator");
        await aino.page.click('[data-testid="found"]');
        await aino.page.waitForSelector("text=The second administrator");
        await aino.shot("founding-second-dark");
        // The second person brings an authenticator of their own.
        await first.cdp.send("WebAuthn.removeVirtualAuthenticator", {
          authenticatorId: first.authenticatorId,
        });
        await aino.authenticator();
        await aino.page.fill("#name", "Bruno Administrator");
        await aino.page.click('[data-testid="found"]');
        await aino.page.click('[data-testid="sign-in"]');
        await aino.page.waitForSelector(live);
        await aino.page.evaluate(addPerson);
        await aino.go("/people");
        await aino.page.click('a:has-text("Cato Newcomer")');
        await aino.page.click('[data-testid="issue"]');
        const link = await aino.page.textContent('[data-testid="enrol-link"]');
        await aino.shot("admit-dark");
        await aino.axe("admittance");
        const third = await Desk.open(node, two);
        third.meant.add("401");
        await third.authenticator();
        await third.page.goto(link);
        await third.page.fill("#name", "Another key");
        await third.shot("enrol-dark");
        await third.page.click('[data-testid="enrol"]');
        await third.page.waitForSelector(live);
        const me = await third.page.evaluate(async () => (await fetch("/api/me")).json());
        assert.equal(me.name, "Cato Newcomer");
        await aino.go("/settings");
        await aino.page.fill("#service-name", "Weather feed");
        await aino.page.fill("#service-actions", "alert:raise");
        await aino.page.fill("#service-kinds", "alert");
        await aino.page.click('[data-testid="add-service"]');
        const token = await aino.page.textContent('[data-testid="token"]');
        const answer = await fetch(`${node.url}/api/alerts`, {
          headers: { Authorization: `Bearer ${token}` },
        });
        assert.equal(answer.status, 200, "the token is good for its kind");
        await aino.page.setViewportSize({ width: 390, height: 844 });
        await aino.fits("settings of an administrator in the hand");
        await aino.shot("settings-administrator-hand-dark");
        await aino.close();
        await third.close();
      } finally {
        await node.stop();
      }
    },
  },
];
