import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Bytes below which a compressed twin of a file saves nothing. */
const COMPRESSED_BYTES_MIN = 1024;

/** Writes `.br` and `.gz` beside what compresses, so that the server never does. */
function compressed(): Plugin {
  let folder = "";
  return {
    name: "muster:compressed",
    apply: "build",
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
    },
    closeBundle() {
      for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        if (!/\.(js|css|json|svg|txt)$/.test(file)) continue;
        const bytes = readFileSync(join(folder, file));
        if (bytes.length < COMPRESSED_BYTES_MIN) continue;
        const params = {
          [constants.BROTLI_PARAM_QUALITY]: 11,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        };
        writeFileSync(join(folder, `${file}.br`), brotliCompressSync(bytes, { params }));
        writeFileSync(join(folder, `${file}.gz`), gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

/** Emits the licences of every package that the bundle holds a part of. */
function thirdParty(): Plugin {
  return {
    name: "muster:third-party",
    apply: "build",
    generateBundle() {
      const folders = new Set<string>();
      for (const id of this.getModuleIds()) {
        const found = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id.split("\0").join(""));
        if (found) folders.add(found[0]);
      }
      const parts = [...folders].sort().map(folder => {
        const about = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as {
          name: string;
          version: string;
          license?: string;
        };
        const file = readdirSync(folder).find(name => /^licen[cs]e/i.test(name));
        const text =
          file && existsSync(`${folder}/${file}`) ? readFileSync(`${folder}/${file}`, "utf8") : "";
        const head = `${about.name} ${about.version} (${about.license ?? "see below"})`;
        return `${head}\n${"-".repeat(head.length)}\n${text.trim()}\n`;
      });
      const source = `What others wrote, and under which licence.\n\n${parts.join("\n\n")}`;
      this.emitFile({ type: "asset", fileName: "third-party.txt", source });
    },
  };
}

/** LIMIT: bytes of script, gzip, before the first screen; and of the map, which comes after it. */
const FIRST_BYTES_MAX = 120_000;
const MAP_BYTES_MAX = 520_000;

/** Fails the build whose first screen, or map, would keep people waiting. */
function budget(): Plugin {
  return {
    name: "muster:budget",
    apply: "build",
    writeBundle({ dir = "dist" }, bundle) {
      const packed = (file: string): number => gzipSync(readFileSync(join(dir, file))).length;
      const page = readFileSync(join(dir, "index.html"), "utf8");
      const first = new Set([...page.matchAll(/assets\/[^"]+\.js/g)].map(found => found[0]));
      const map = Object.keys(bundle).filter(file => /assets\/draw-[^/]+\.js$/.test(file));
      const check = (what: string, files: Iterable<string>, most: number): void => {
        const bytes = [...files].reduce((sum, file) => sum + packed(file), 0);
        if (bytes > most || bytes === 0) this.error(`${what} has ${bytes} bytes of script, gzip`);
        this.info(`${what}: ${bytes} bytes of script, gzip`);
      };
      check("the first screen", first, FIRST_BYTES_MAX);
      check("the map", map, MAP_BYTES_MAX);
    },
  };
}

const server = process.env["MUSTER_URL"] ?? "http://localhost:8080";

export default defineConfig({
  plugins: [svelte(), thirdParty(), budget(), compressed()],
  build: {
    target: "es2023",
    // No inline anything: the policy of the pages lets nothing in but our own files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: true,
    chunkSizeWarningLimit: 1200,
  },
  worker: { format: "es" },
  server: {
    proxy: {
      "/api": { target: server, ws: true },
      "/demo": { target: server },
    },
  },
  test: {
    include: ["src/**/*.test.ts"],
    environment: "node",
  },
});
