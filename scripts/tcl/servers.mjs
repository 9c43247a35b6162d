/** The servers under test, each a process of its own: `{ port, stop() }`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export async function startEmbedded() {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.resolve("./embedded-server.mjs"))], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const port = Number(await lineOf(child, /^\d+$/));
  return { port, stop: () => end(child) };
}

export async function startReal(program) {
  const port = await freePort();
  // A folder of its own: a snapshot of one unit must not be loaded by the next.
  const folder = mkdtempSync(path.join(tmpdir(), "redis-tcl-"));
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  await lineOf(child, /Ready to accept connections/);
  const stop = async () => {
    await end(child);
    rmSync(folder, { recursive: true });
  };
  return { port, stop };
}

/** The first line that matches. Later output is read and dropped, so that the pipe never fills. */
function lineOf(child, pattern) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the server ended with code ${code} before it was ready`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (pattern.test(line)) resolve(line);
    });
  });
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}
