// Runs the journeys: `MUSTER_BIN=… CHROMIUM_PATH=… node e2e/run.mjs [words of a name…]`.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { launch, SHOTS } from "./desk.mjs";
import { identity } from "./identity.mjs";
import { intelligence } from "./intelligence.mjs";
import { journeys } from "./journeys.mjs";
import { Muster } from "./muster.mjs";
import { pages } from "./pages.mjs";
import { picture } from "./picture.mjs";

const { MUSTER_BIN, CHROMIUM_PATH } = process.env;
if (!MUSTER_BIN || !CHROMIUM_PATH) {
  console.error("set MUSTER_BIN to the binary and CHROMIUM_PATH to the browser");
  process.exit(2);
}

const words = process.argv.slice(2);
const chosen = [...journeys, ...identity, ...pages, ...picture, ...intelligence].filter(
  ({ name }, n) => n === 0 || words.every(word => name.includes(word)),
);
let shots = 0;
const counts = { passed: 0, failed: 0 };

mkdirSync(SHOTS, { recursive: true });
const muster = await Muster.start(MUSTER_BIN);
const [one, two] = await Promise.all([launch(), launch()]);
try {
  for (const { name, run } of chosen) {
    const began = Date.now();
    const notes = [];
    try {
      await run({ muster, one, two, note: text => notes.push(text) });
      counts.passed += 1;
      console.log(`ok    ${name} (${Date.now() - began} ms)`);
    } catch (error) {
      counts.failed += 1;
      console.log(`FAIL  ${name}\n    ${error.stack ?? error}`);
      for (const browser of [one, two]) {
        for (const context of browser.contexts()) {
          for (const page of context.pages()) {
            shots += 1;
            await page.screenshot({ path: join(SHOTS, `failed-${shots}.png`) });
          }
          await context.close();
        }
      }
    }
    for (const note of notes) console.log(`      ${note}`);
  }
} finally {
  await Promise.all([one.close(), two.close()]);
  await muster.stop();
  muster.remove();
}
console.log(`screenshots are in ${SHOTS}`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 ? 0 : 1);
