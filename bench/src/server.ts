/** A server of the benchmark's own: a free port, nothing on disk, ended with this process. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createClient } from "@redis/client";

export interface BenchServer {
  readonly url: string;
  readonly port: number;
  readonly version: string;
  stop(): Promise<void>;
}

export async function startServer(binary: string): Promise<BenchServer> {
  const port = await freePort();
  const folder = mkdtempSync(path.join(tmpdir(), "holdfast-bench-"));
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  const child = spawn(binary, args, { stdio: "ignore" });
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const url = `redis://127.0.0.1:${port}`;
  const version = await versionOf(url);
  const stop = async (): Promise<void> => {
    const ended = once(child, "exit");
    kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, port, version, stop };
}

/** Answers once the server does: the client tries again until then. */
async function versionOf(url: string): Promise<string> {
  const client = createClient({ url, socket: { reconnectStrategy: (retries) => (retries < 500 ? 10 : false) } });
  client.on("error", () => undefined);
  await client.connect();
  const info = await client.sendCommand(["INFO", "server"]);
  client.destroy();
  return /redis_version:(\S+)/.exec(String(info))?.[1] ?? "unknown";
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
