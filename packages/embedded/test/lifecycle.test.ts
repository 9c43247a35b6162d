/** A server leaves nothing behind: no handle, no timer, no process that it keeps alive. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createServer } from "holdfast-embedded";
import { describe, expect, it } from "vitest";
import { RawClient } from "../src/testing/raw-client.ts";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));

/** A key with a deadline, a reader that waits for ever, one that waits for an hour, and a client that is connected. */
const PROGRAM = `
import { createServer } from "./dist/index.js";
import { createConnection } from "node:net";
const server = createServer();
await server.listen();
const send = (args) => new Promise((resolve) => server.connectInProcess().send(args, resolve));
await send(["SET", "key", "value", "EX", "3600"]);
void send(["BLPOP", "list", "0"]);
void send(["BLPOP", "list", "3600"]);
const socket = createConnection(server.port);
await new Promise((resolve) => socket.write("PING\\r\\n") && socket.once("data", resolve));
socket.unref();
process.stdout.write("done");
`;

describe("a server's end", () => {
  it("leaves no handle and no timer, after 300 of them", async () => {
    const cycle = async (): Promise<void> => {
      // What does not keep the process alive is not listed among its handles.
      const server = createServer({ keepAlive: true });
      await server.listen();
      const [client, waiter] = await Promise.all([RawClient.connect(server.port), RawClient.connect(server.port)]);
      await client.send(["SET", "key", "value", "EX", "3600"]);
      const cutOff = waiter.send(["BLPOP", "list", "3600"]).catch((error: Error) => error.message);
      await client.send(["CLIENT", "PAUSE", "3600000", "WRITE"]);
      await server.close();
      expect(await cutOff).toContain("closed");
      client.close();
    };
    await cycle();
    const before = handles();
    for (let at = 0; at < 300; at++) await cycle();
    await expect.poll(handles).toEqual(before);
  });

  it("does not keep a process alive", { timeout: 60_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-embedded-"));
    try {
      await compileInto(folder);
      await writeFile(join(folder, "program.mjs"), PROGRAM);
      const { stdout } = await promisify(execFile)(process.execPath, [join(folder, "program.mjs")], {
        timeout: 30_000,
      });
      expect(stdout).toBe("done");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** What would keep the process, without the runner's own. */
function handles(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /TCP|Pipe|Connect|Timeout/.test(name) && name !== "PipeWrap")
    .sort();
}

async function compileInto(folder: string): Promise<void> {
  const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
  const output = ["--outDir", join(folder, "dist"), "--tsBuildInfoFile", join(folder, "tsbuildinfo")];
  await promisify(execFile)(process.execPath, [compiler, "-p", join(PACKAGE, "tsconfig.build.json"), ...output]);
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await symlink(join(PACKAGE, "../../node_modules"), join(folder, "node_modules"));
}
