/**
 * What could go wrong, and the test for it:
 * - a write has an effect after a later one was answered ............. "keep what was answered last"
 * - the simulation would not see it ................................. "are seen to fail where nothing is fenced off"
 */
import { describe, expect, it } from "vitest";
import { simulate, type SimulatedClient, type Simulation } from "../../testing/index.ts";
import { schedules, unlessOutage } from "../../../test/support/simulated.ts";
import type { OpClass, Reply } from "../port.ts";

const WRITING_MS = 3_500;
/** Long after everything that was under way has arrived. */
const SETTLED_MS = 30_000;
const PATHS = ["shared", "lease"] as const;

/** One write or read, on the shared connection or on one of its own. */
async function run(
  { hf: { driver } }: SimulatedClient,
  path: (typeof PATHS)[number],
  args: readonly string[],
  kind: OpClass,
): Promise<Reply> {
  const call = { op: "late", class: kind, timeoutMs: 400 };
  if (path === "shared") return driver.send(args, call, args[1]);
  const lease = await driver.lease(args[1], call);
  try {
    return await lease.send(args, call);
  } finally {
    lease.release();
  }
}

/** The only writer of its key: each answer is checked against what is there a little later. */
async function write(
  { random, now, sleep }: Simulation,
  client: SimulatedClient,
  path: "shared" | "lease",
): Promise<void> {
  const key = `${client.name}:${path}`;
  const check = async (written: number): Promise<void> => {
    const found = await unlessOutage(async () => ({ value: await run(client, "shared", ["GET", key], "read") }));
    if (found !== undefined) expect(String(found.value), `after write ${written} of ${key}`).toBe(String(written));
  };
  let answered: number | undefined;
  for (let written = 1; now() < WRITING_MS; written += 1) {
    const kind = random.pick(["idempotent", "unsafe"] as const);
    const reply = await unlessOutage(() => run(client, path, ["SET", key, String(written)], kind));
    answered = reply === undefined ? undefined : written;
    if (answered !== undefined) await check(answered);
    await client.sleep(random.integer(0, 20));
    if (answered !== undefined) await check(answered);
  }
  await sleep(SETTLED_MS);
  if (answered !== undefined) await check(answered);
}

/** Data is never lost here, so what was answered must be there. */
async function writers(simulation: Simulation): Promise<void> {
  await Promise.all(simulation.clients.flatMap((client) => PATHS.map((path) => write(simulation, client, path))));
}

describe("writes that are given up and repeated [simulation]", () => {
  it("keep what was answered last", async () => {
    await simulate({ ...schedules(), clients: 2 }, writers);
  }, 120_000);

  it("are seen to fail where nothing is fenced off", async () => {
    const unfenced = simulate({ schedules: 300, seed: 1, clients: 2, faults: { lateCopies: true } }, writers);
    await expect(unfenced).rejects.toThrow(/after write \d+ of/);
  }, 120_000);
});
