/**
 * A Redis or Valkey server as a process of the launcher's: on a free port, in a temporary folder. Its append-only file is
 * written before a client is answered, so that what was acknowledged is still there after it was killed and started again. That holds with `appendfsync no`
 * (the kernel has the data, and survives the server); with `everysec` a write waits for a sync that is under way, and its client does not.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureServer } from "../../../../scripts/ensure-server.mjs";
import { freePort } from "./free-port.ts";
import type { OwnServer } from "./own-server.ts";
import { Supervised } from "./supervised.ts";

const START_MS = 10_000;
const RESTART_MS = 200;

export async function startPrivateServer(report: (text: string) => void): Promise<OwnServer> {
  const { path, name, version } = ensureServer();
  const folder = await mkdtemp(join(tmpdir(), "flightboard-"));
  const port = await freePort();
  const settings = {
    port,
    bind: "127.0.0.1",
    dir: folder,
    appendonly: "yes",
    appendfsync: "no",
    save: "",
    loglevel: "warning",
  };
  const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
  // Detached: Ctrl-C is for the launcher alone, which stops the others in order.
  const server = new Supervised(
    "server",
    () => spawn(path, args, { stdio: "ignore", detached: true }),
    RESTART_MS,
    report,
  );
  server.start();
  await answersAt(port);
  return {
    kind: "redis",
    url: `redis://127.0.0.1:${port}`,
    program: `${name} ${version}`,
    strike: () => server.kill(),
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answersAt(port: number): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (!(await connects(port))) {
    if (performance.now() > deadline) throw new Error(`the server did not come up on port ${port}`);
    await sleep(20);
  }
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
