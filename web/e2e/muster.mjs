// The real binary, demonstrating: started on a free port, in a folder of its own, and stopped.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Play seconds per second. */
export const SPEED = 20;

async function freePort() {
  const server = createServer();
  await new Promise(resolve => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise(resolve => server.close(resolve));
  return port;
}

export class Muster {
  #child = null;
  #output = "";

  constructor(binary, folder, port) {
    this.binary = binary;
    this.folder = folder;
    this.port = port;
    this.url = `http://localhost:${port}`;
    /** Sign-in links by their role, as `FIRE: Duty officer of the fire service`. */
    this.links = new Map();
  }

  static async start(binary) {
    const folder = mkdtempSync(join(tmpdir(), "muster-e2e-"));
    const muster = new Muster(binary, folder, await freePort());
    await muster.run();
    return muster;
  }

  /** Starts the process on the folder and the port, and waits until it listens. */
  async run() {
    this.#output = "";
    this.links.clear();
    const args = ["demo", "--data", join(this.folder, "node")];
    args.push("--listen", `127.0.0.1:${this.port}`, "--speed", String(SPEED));
    const child = spawn(this.binary, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    const ended = new Promise((_resolve, reject) => {
      child.once("exit", code => reject(new Error(`muster ended with ${code}\n${this.#output}`)));
    });
    ended.catch(() => {});
    const take = data => (this.#output += data);
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    await Promise.race([ended, this.#listening()]);
    for (const line of this.#output.split("\n")) {
      const found = /^\s*(\S.*?)\s+https?:\/\/\S*?(\/demo\/sign-in\?token=\S+)\s*$/.exec(line);
      if (found) this.links.set(found[1], `${this.url}${found[2]}`);
    }
    if (this.links.size === 0) throw new Error(`no sign-in links in:\n${this.#output}`);
  }

  async #listening() {
    for (let tries = 0; tries < 600; tries += 1) {
      try {
        const answer = await fetch(`${this.url}/api/health`);
        if (answer.ok && this.#output.includes("/demo/sign-in")) return;
      } catch {
        // It does not listen yet.
      }
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    throw new Error(`muster does not answer\n${this.#output}`);
  }

  /** The link of a role. */
  link(role) {
    const link = this.links.get(role);
    if (!link)
      throw new Error(`no link for ${role}; there are ${[...this.links.keys()].join(", ")}`);
    return link;
  }

  signal(name) {
    this.#child?.kill(name);
  }

  async stop() {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise(resolve => child.once("exit", resolve));
    child.kill("SIGCONT");
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(late);
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
