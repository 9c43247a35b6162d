/** A server of the benchmark's own: a free port, nothing on disk, ended with this process. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createClient } from "@redis/client";
import { connected, type NodeRedis } from "./clients.ts";
import type { BenchServer } from "./suite.ts";

export async function startServer(binary: string): Promise<BenchServer> {
  const port = await freePort();
  const folder = mkdtempSync(path.join(tmpdir(), "holdfast-bench-"));
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  const child = spawn(binary, args, { stdio: "ignore" });
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const url = `redis://127.0.0.1:${port}`;
  const client = await observer(url);
  const stop = async (): Promise<void> => {
    client.destroy();
    const ended = once(child, "exit");
    kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    url,
    port,
    version: await versionOf(client),
    cpuSeconds: () => cpuSeconds(client),
    usage: () => usage(client),
    empty: async () => void (await client.flushAll("SYNC")),
    stop,
  };
}

/** Connected once the server answers: the client tries again until then. */
function observer(url: string): Promise<NodeRedis> {
  return connected(createClient({ url, socket: { reconnectStrategy: (retries) => (retries < 500 ? 10 : false) } }));
}

async function versionOf(client: NodeRedis): Promise<string> {
  const info = await client.info("server");
  return /(?:redis|valkey)_version:(\S+)/.exec(info)?.[1] ?? "unknown";
}

async function cpuSeconds(client: NodeRedis): Promise<number> {
  const info = await client.info("cpu");
  const field = (name: string): number => Number(new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1]);
  return field("used_cpu_user") + field("used_cpu_sys");
}

async function usage(client: NodeRedis): Promise<{ cpuMicros: number; scriptMicros: number; bytes: number }> {
  const [stats, memory] = [await client.info("commandstats"), await client.info("memory")];
  const scripts = stats.matchAll(/^cmdstat_(?:evalsha|eval|evalsha_ro|fcall):calls=\d+,usec=(\d+)/gm);
  const scriptMicros = [...scripts].reduce((sum, [, usec]) => sum + Number(usec), 0);
  return {
    cpuMicros: (await cpuSeconds(client)) * 1e6,
    scriptMicros,
    bytes: Number(/^used_memory:(\d+)/m.exec(memory)?.[1]),
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
