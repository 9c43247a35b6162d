// What could go wrong, and the test for each:
// - a promise of the queue breaks on real processes ..... "the queue keeps its promises on ..."
// - one of locks, semaphores, elections and their like ... "histories of ... are those of their models"
// - a promise of topics ................................. "topics keep their promises"
// - the suite would not find it ......................... "finds that ..."
// - processes outlive the command ....................... "leaves no process behind after Ctrl-C"
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../packages/holdfast/test/support/backends.ts";
import { until } from "../../packages/holdfast/test/support/until.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

function run(suite: "queue" | "coordination" | "topics", ...args: string[]): ChildProcess {
  const program = [`${ROOT}faults/dist/main.js`, suite, "--short", ...args];
  return spawn(process.execPath, program, { stdio: ["ignore", "pipe", "inherit"] });
}

/** Its line, once it has ended. */
async function reportOf(child: ChildProcess): Promise<{ code: number | null; report: Record<string, unknown> }> {
  let text = "";
  child.stdout!.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  await once(child, "close");
  return { code: child.exitCode, report: JSON.parse(text) as Record<string, unknown> };
}

beforeAll(() => void execFileSync(process.execPath, [`${ROOT}scripts/bundle-faults.mjs`]));

describe.each(backends("standalone", "cluster", "sentinel"))("faults [$name]", ({ name }) => {
  it(`the queue keeps its promises on ${name}`, { timeout: 180_000 }, async () => {
    const { code, report } = await reportOf(run("queue", "--topology", name, "--seed", "7"));
    expect(report).toMatchObject({ suite: "queue", topology: name, seed: 7, lost: 0, stale: 0, broken: [], ok: true });
    expect(report["accepted"]).toBeGreaterThan(0);
    expect(code).toBe(0);
  });
});

describe.runIf(backends("standalone").length > 0)("the fault suite", () => {
  it("histories of locks and their like are those of their models", { timeout: 180_000 }, async () => {
    const { code, report } = await reportOf(run("coordination", "--topology", "standalone", "--seed", "7"));
    expect(report).toMatchObject({ suite: "coordination", seed: 7, undoneWrites: 0, broken: [], ok: true });
    expect(report["holds"]).toBeGreaterThan(0);
    expect(code).toBe(0);
  });

  it("topics keep their promises", { timeout: 180_000 }, async () => {
    const { code, report } = await reportOf(run("topics", "--topology", "standalone", "--seed", "7"));
    expect(report).toMatchObject({ suite: "topics", lost: 0, outOfOrder: 0, stale: 0, gaps: 0, broken: [], ok: true });
    expect(report["accepted"]).toBeGreaterThan(0);
    expect(code).toBe(0);
  });

  it("finds that a queue which pops its jobs loses some", { timeout: 180_000 }, async () => {
    const popped = run(
      "queue",
      "--topology",
      "standalone",
      "--seed",
      "1",
      "--scenario",
      "processes",
      "--subject",
      "popped",
    );
    const { code, report } = await reportOf(popped);
    expect(report["lost"]).toBeGreaterThan(0);
    expect(code).toBe(1);
  });

  it("finds that a queue without fences confirms what another worker has", { timeout: 180_000 }, async () => {
    const unfenced = run(
      "queue",
      "--topology",
      "standalone",
      "--seed",
      "1",
      "--scenario",
      "freeze",
      "--subject",
      "unfenced",
    );
    const { code, report } = await reportOf(unfenced);
    expect(report["stale"]).toBeGreaterThan(0);
    expect(code).toBe(1);
  });

  it("finds what is wrong with locks, semaphores and elections by hand", { timeout: 400_000 }, async () => {
    let found: string[] = [];
    // Which of them are hit while they hold something is chance; that each of them is found when it is, `verdict.test.ts` shows.
    for (let seed = 3; found.length === 0 && seed < 8; seed += 1) {
      const scenario = ["--topology", "standalone", "--seed", `${seed}`, "--scenario", "freeze"];
      const { report } = await reportOf(run("coordination", ...scenario, "--subject", "by-hand"));
      found = (report["broken"] as string[]).filter((broken) => broken.includes("has no place after"));
    }
    expect(found).not.toEqual([]);
  });

  it("leaves no process behind after Ctrl-C", { timeout: 60_000 }, async () => {
    const child = run("queue", "--topology", "standalone");
    const descendants = await until("all its processes run", () => {
      const found = below(child.pid!);
      return found.length >= 7 && found;
    });
    child.kill("SIGINT");
    await once(child, "exit");
    await until("they have ended", () => descendants.every((pid) => !isRunning(pid)));
    expect(child.exitCode).toBe(130);
  });
});

function below(pid: number): number[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const found = [pid];
  for (const parent of found) found.push(...pairs.filter(([, ppid]) => ppid === parent).map(([child]) => child));
  return found.slice(1);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
