// A desk: a browser of one person, watched for everything that must not happen.

import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { chromium } from "playwright-core";

/** Where screenshots go: never into the tree. */
export const SHOTS = process.env.MUSTER_SHOTS ?? join(tmpdir(), "muster-shots");

const FLAGS = [
  "--no-sandbox",
  "--use-gl=angle",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM_PATH, args: FLAGS });

const AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export const SIZES = {
  wall: { width: 1920, height: 1080 },
  desk: { width: 1280, height: 800 },
  hand: { width: 390, height: 844 },
};

/** Gives a browser settings before its first page starts; what people change then stays. */
function dress(settings) {
  localStorage["muster-settings"] ??= JSON.stringify(settings);
}

function watchPolicy() {
  window.violations = [];
  addEventListener("securitypolicyviolation", event => {
    window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`);
  });
}

export class Desk {
  constructor(muster, context, page) {
    this.muster = muster;
    this.context = context;
    this.page = page;
    /** What went wrong; it must stay empty. */
    this.faults = [];
    /** Statuses and ways of failing that a journey means to cause. */
    this.meant = new Set();
  }

  static async open(muster, browser, { theme = "dark", size = SIZES.desk } = {}) {
    const context = await browser.newContext({ viewport: size, baseURL: muster.url });
    await context.addInitScript(dress, { theme });
    await context.addInitScript(watchPolicy);
    const page = await context.newPage();
    const desk = new Desk(muster, context, page);
    page.setDefaultTimeout(15_000);
    page.on("pageerror", error => desk.faults.push(`page error: ${error.stack}`));
    page.on("console", message => {
      if (message.type() !== "error") return;
      const text = message.text();
      const meant = [...desk.meant].some(words => text.includes(words));
      if (!meant) desk.faults.push(`console: ${text}`);
    });
    context.on("request", request => {
      const url = new URL(request.url());
      const own = url.host === new URL(muster.url).host;
      if (!own && !["data:", "blob:"].includes(url.protocol)) {
        desk.faults.push(`request to another host: ${request.url()}`);
      }
    });
    return desk;
  }

  /** Signs in by the link of a role and waits for the desk. */
  async signIn(role) {
    await this.page.goto(this.muster.link(role));
    await this.page.waitForSelector('[data-testid="link"][data-state="live"]');
    return this;
  }

  /** Gives the browser an authenticator that answers for its person (WebAuthn over CDP). */
  async authenticator() {
    const cdp = await this.context.newCDPSession(this.page);
    await cdp.send("WebAuthn.enable");
    const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        ctap2Version: "ctap2_1",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return { cdp, authenticatorId };
  }

  /** Signs what the open dialog asks for; makes a passkey first where there is none. */
  async sign(reason) {
    const found = name => `[data-testid="${name}"]`;
    if (reason) {
      await this.page.fill("#reason", reason);
      await this.page.click(found("continue"));
    }
    await this.page.waitForSelector(`${found("confirm")}, ${found("add-passkey")}`);
    if (await this.page.isVisible(found("add-passkey"))) {
      await this.page.click(found("add-passkey"));
    }
    const ready = `${found("confirm")}:not([aria-disabled="true"])`;
    await this.page.waitForSelector(found("signed-text"));
    await this.page.click(ready);
    // A passkey that an earlier journey enrolled lies in a browser that is gone.
    const gone = this.page.waitForSelector(found("signed-text"), { state: "detached" });
    const elsewhere = this.page.waitForSelector(found("add-passkey"));
    // Only one of the two comes; nobody waits for the other.
    for (const either of [gone, elsewhere]) either.catch(() => null);
    if ((await Promise.race([gone, elsewhere])) !== null) {
      await this.page.click(found("add-passkey"));
      await this.page.waitForSelector(found("add-passkey"), { state: "detached" });
      await this.page.click(ready);
      await gone;
    }
  }

  async go(path) {
    await this.page.goto(path);
    await this.page.waitForSelector('[data-testid="link"][data-state="live"]');
  }

  async wear(theme) {
    await this.page.evaluate(name => (document.documentElement.dataset.theme = name), theme);
  }

  /** A screenshot, by its name. */
  async shot(name) {
    mkdirSync(SHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SHOTS, `${name}.png`) });
  }

  /** Serious and critical findings of axe, of some rules or of all; there must be none. */
  async axe(what, rules) {
    const builder = new AxeBuilder({ page: this.page });
    const { violations } = await (
      rules ? builder.withRules(rules) : builder.withTags(AXE_TAGS)
    ).analyze();
    const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    for (const { id, nodes } of grave) {
      for (const { target, failureSummary } of nodes.slice(0, 3)) {
        const why = failureSummary.replace(/\s+/g, " ");
        this.faults.push(`axe, ${what}: ${id} at ${target.join(" ")}: ${why}`);
      }
    }
    return violations.filter(one => !grave.includes(one)).map(({ id }) => id);
  }

  /** INVARIANT: no portion on the page is above its banner. */
  async banner(what) {
    const found = await this.page.evaluate(() => ({
      banners: [...document.querySelectorAll('[data-testid^="banner-"]')].map(b =>
        b.innerText.trim(),
      ),
      marks: [...document.querySelectorAll("bdi.mark")].map(mark => mark.textContent.trim()),
    }));
    const [top, bottom] = found.banners;
    if (top !== bottom || !top) this.faults.push(`${what}: banners differ: ${found.banners}`);
    const levels = ["O", "R", "C", "S", "TS"];
    const names = ["OPEN", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP SECRET"];
    const codes = { KST: "KESTREL", TWR: "TIDEWATER", LTN: "LANTERN", GST: "GREYSTONE" };
    const [level, ...parts] = (top ?? "").split("//");
    for (const mark of new Set(found.marks)) {
      const [letter, ...rest] = mark.slice(1, -1).split("//");
      const compartments = rest
        .join("/")
        .split("/")
        .filter(code => code in codes);
      const missing = compartments.filter(code => !parts.join("/").includes(codes[code]));
      if (levels.indexOf(letter) > names.indexOf(level) || missing.length > 0) {
        this.faults.push(`${what}: portion ${mark} is above the banner ${top}`);
      }
    }
    return top;
  }

  /** Nothing is wider than the screen. */
  async fits(what) {
    const { inner, scroll } = await this.page.evaluate(() => ({
      inner: innerWidth,
      scroll: document.scrollingElement.scrollWidth,
    }));
    if (scroll > inner) this.faults.push(`${what}: ${scroll} px wide on a screen of ${inner}`);
  }

  /** Presses Tab until the focus is on something that fits, as a person without a mouse does. */
  async tabTo(selector, most = 80) {
    for (let n = 0; n < most; n += 1) {
      const there = await this.page.evaluate(s => document.activeElement?.matches(s), selector);
      if (there) return;
      await this.page.keyboard.press("Tab");
    }
    throw new Error(`no ${selector} within ${most} presses of Tab`);
  }

  async close() {
    await this.context.close();
    if (this.faults.length > 0) throw new Error(this.faults.join("\n    "));
  }
}
