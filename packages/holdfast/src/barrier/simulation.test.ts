/**
 * What could go wrong, and the test for each; the same checks find what a barrier of counters does wrong:
 * - one is inside before all have entered, or past leave before all have left ... "together in and together out"
 * - one that is alone for good hangs .......................................... the same: it is told that it is broken, in time
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage } from "../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation } from "../testing/index.ts";

const LONG = { timeout: 600_000 };
const DURING_MS = 4_000;

interface Step {
  readonly round: number;
  leave(): Promise<"ok" | "broken" | undefined>;
}
type Enter = (client: SimulatedClient, parties: number) => Promise<Step | undefined>;

const ours: Enter = async ({ hf }, parties) => {
  const pass = await unlessOutage(() => hf.barrier("b", { parties, ttl: 800 }).enter({ timeout: "5s" }));
  if (pass === undefined) return undefined;
  return {
    round: pass.round,
    leave: async () => (await unlessOutage(() => pass.leave({ timeout: "5s" })))?.status,
  };
};

/** A counter that is sent again when its answer was lost. */
const naive: Enter = async ({ hf }, parties) => {
  const call = { op: "naive", class: "idempotent" } as const;
  const count = (): Promise<number | undefined> =>
    unlessOutage(() => hf.driver.send(["INCR", "n"], call, "n").then(Number));
  const mine = await count();
  if (mine === undefined) return undefined;
  const round = Math.ceil(mine / parties);
  for (;;) {
    const now = await unlessOutage(() => hf.driver.send(["GET", "n"], { ...call, class: "read" }, "n").then(Number));
    if (now !== undefined && now >= round * parties) return { round, leave: async () => "ok" };
  }
};

function together(enter: Enter): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now }) => {
    /** By round: who asked to enter before it, is inside, and has asked to leave. */
    const asking = new Set<string>();
    const left = new Map<number, Set<string>>();
    const work = async (client: SimulatedClient): Promise<void> => {
      while (now() < DURING_MS) {
        asking.add(client.name);
        const step = await enter(client, clients.length);
        if (step === undefined) {
          asking.delete(client.name);
          continue;
        }
        if (asking.size < clients.length) throw new Error(`${client.name} is inside with ${asking.size}`);
        await client.sleep(random.integer(0, 200));
        const leaving = left.get(step.round) ?? new Set();
        left.set(step.round, leaving.add(client.name));
        const end = await step.leave();
        if (end === "ok" && leaving.size < clients.length)
          throw new Error(`${client.name} is out with ${leaving.size}`);
        asking.delete(client.name);
        await client.sleep(random.integer(0, 100));
      }
    };
    await Promise.all(clients.map(work));
  };
}

it("together in and together out", LONG, async () => {
  await simulate({ ...schedules(6), clients: 3 }, together(ours));
});

it("a counter that is sent again lets one in before all are there, and the simulation finds it", LONG, async () => {
  await expect(simulate({ schedules: 100, seed: 1, clients: 3 }, together(naive))).rejects.toThrow(
    /inside with|out with/,
  );
});
