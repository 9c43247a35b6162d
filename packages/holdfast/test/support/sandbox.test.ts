import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { runVitest } from "./nested-vitest.ts";
import { until } from "./servers.ts";

const SERVERS = fileURLToPath(new URL("./servers.ts", import.meta.url));

/** Starts a server, says where, stops it in its tracks, and never ends. */
const HANGING_TEST = `
  import { writeFileSync, renameSync } from "node:fs";
  import { startStandalone } from ${JSON.stringify(SERVERS)};

  it("hangs", { timeout: 600_000 }, async () => {
    const server = await startStandalone();
    const [, dir] = await server.command("CONFIG", "GET", "dir");
    await server.pause();
    writeFileSync("started.tmp", JSON.stringify({ pid: server.pid, dir }));
    renameSync("started.tmp", "started.json");
    await new Promise(() => {});
  });
`;

it.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)("a run that ends by %s leaves no server behind", async (signal) => {
  using run = runVitest({ "hangs.test.ts": HANGING_TEST });
  const report = join(run.dir, "started.json");
  await until("the server runs", () => existsSync(report));
  const { pid, dir } = JSON.parse(readFileSync(report, "utf8")) as { pid: number; dir: string };
  run.child.kill(signal);
  await until("the server and its folder are gone", () => !isAlive(pid) && !existsSync(dir));
  expect(isAlive(pid)).toBe(false);
});

/** A killed process whose parent is gone may stay in the table as a zombie until somebody collects it. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !readFileSync(stat, "utf8").includes(") Z");
}
