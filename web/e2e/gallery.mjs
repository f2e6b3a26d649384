// Pictures of every screen in four themes, three sizes and from right to left:
// `MUSTER_BIN=… CHROMIUM_PATH=… node e2e/gallery.mjs FOLDER [words of a name…]`.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Desk, launch, SIZES } from "./desk.mjs";
import { Muster } from "./muster.mjs";
import { screens } from "./screens.mjs";

const { MUSTER_BIN, CHROMIUM_PATH } = process.env;
const [folder, ...words] = process.argv.slice(2);
if (!MUSTER_BIN || !CHROMIUM_PATH || !folder) {
  console.error("set MUSTER_BIN and CHROMIUM_PATH, and give the folder for the pictures");
  process.exit(2);
}

const THEMES = ["dark", "light", "night", "contrast"];
const began = Date.now();
mkdirSync(folder, { recursive: true });
const muster = await Muster.start(MUSTER_BIN);
const browser = await launch();
const made = [];
try {
  const desk = await Desk.open(muster, browser);
  await desk.signIn("POLICE: Duty officer of the police");
  const { page } = desk;
  const shot = async name => {
    await page.screenshot({ path: join(folder, `${name}.png`) });
    made.push(name);
  };
  for (const [name, path] of await screens(desk)) {
    if (!words.every(word => name.includes(word))) continue;
    await page.setViewportSize(SIZES.wall);
    await desk.go(path);
    await page.waitForSelector("main h1, main h2");
    for (const viewport of Object.values(SIZES)) {
      await page.setViewportSize(viewport);
      for (const theme of THEMES) {
        await desk.wear(theme);
        await shot(`${name}-${viewport.width}-${theme}`);
      }
      await desk.wear("dark");
      await page.evaluate(() => (document.documentElement.dir = "rtl"));
      await shot(`${name}-${viewport.width}-rtl`);
      await page.evaluate(() => (document.documentElement.dir = "ltr"));
    }
  }
} finally {
  await browser.close();
  await muster.stop();
  muster.remove();
}
const figure = name =>
  `<figure><img src="${name}.png" loading="lazy"><figcaption>${name}</figcaption>`;
const style = "body{background:#888;font:14px sans-serif}img{max-width:100%;border:1px solid}";
writeFileSync(
  join(folder, "index.html"),
  `<!doctype html><title>Screens</title><style>${style}</style>${made.map(figure).join("\n")}`,
);
console.log(
  `${made.length} pictures in ${folder} after ${Math.round((Date.now() - began) / 1000)} s`,
);
process.exit(0);
