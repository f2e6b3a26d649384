import { readFileSync, readdirSync, existsSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Bytes below which a compressed twin of a file saves nothing. */
const COMPRESSED_BYTES_MIN = 1024;

/** Writes `.br` and `.gz` beside what compresses, so that the server never does. */
function compressed(): Plugin {
  return {
    name: "muster:compressed",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        for (const file of Object.values(bundle)) {
          if (!/\.(js|css|json|svg|txt)$/.test(file.fileName)) continue;
          const bytes = Buffer.from(file.type === "chunk" ? file.code : file.source);
          if (bytes.length < COMPRESSED_BYTES_MIN) continue;
          const params = {
            [constants.BROTLI_PARAM_QUALITY]: 11,
            [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
          };
          const br = brotliCompressSync(bytes, { params });
          const gz = gzipSync(bytes, { level: 9 });
          this.emitFile({ type: "asset", fileName: `${file.fileName}.br`, source: br });
          this.emitFile({ type: "asset", fileName: `${file.fileName}.gz`, source: gz });
        }
      },
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
      const parts = [...folders].sort().map((folder) => {
        const about = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as {
          name: string;
          version: string;
          license?: string;
        };
        const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
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

const server = process.env["MUSTER_URL"] ?? "http://localhost:8080";

export default defineConfig({
  plugins: [svelte(), thirdParty(), compressed()],
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
