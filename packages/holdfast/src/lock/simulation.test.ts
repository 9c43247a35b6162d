/**
 * Fences: of two holders of one lock never are both accepted by what it guards, in the wrong order: a write with the fence of
 * an earlier holder is refused once a later one has written. And while the server keeps its data nobody holds the lock beside
 * another. The same checks find what a lock without a fence, and one that believes in its ttl alone, do wrong.
 */
import { expect, test } from "vitest";
import { schedules, unlessOutage } from "../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../testing/index.ts";

const DURING_MS = 4_000;
const TTL_MS = 500;

interface Held {
  /** What the holder itself believes, at any moment. */
  readonly held: boolean;
  readonly fence: number;
  release(): Promise<unknown>;
}

type Acquire = (client: SimulatedClient) => Promise<Held | undefined>;

const ours: Acquire = ({ hf }) => hf.lock("job", { ttl: TTL_MS, maxHold: "2s" }).acquire({ wait: "2s" });

/** SET NX PX with a counter for a fence: what is written by hand. It believes that it holds the lock until it has released it. */
const naive: Acquire = async ({ hf: { driver }, name }) => {
  const set = await driver.send(
    ["SET", "lock", name, "NX", "PX", String(TTL_MS)],
    { op: "set", class: "unsafe" },
    "lock",
  );
  if (set === null) return undefined;
  const fence = Number(await driver.send(["INCR", "fence"], { op: "incr", class: "unsafe" }, "fence"));
  const lock = {
    held: true,
    fence,
    async release() {
      lock.held = false;
      await driver.send(["DEL", "lock"], { op: "del", class: "unsafe" }, "lock");
    },
  };
  return lock;
};

interface Rules {
  /** Nobody holds it beside another. Not to be had where a server loses its data. */
  readonly alone: boolean;
  /** The guarded side refuses what is older than what it has seen. */
  readonly guarded: boolean;
}

function oneHolder(acquire: Acquire, { alone, guarded }: Rules): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now, note }) => {
    const holders = new Map<string, Held>();
    /** The guarded resource: in a system of its own, so that it outlives the server. */
    let highest = 0;
    const accepted: number[] = [];

    const write = (client: SimulatedClient, fence: number): void => {
      if (guarded && fence < highest) return note(`${client.name} is refused with ${fence}`);
      const last = accepted.at(-1) ?? 0;
      if (fence < last) throw new Error(`${client.name} wrote with fence ${fence} after ${last}`);
      highest = Math.max(highest, fence);
      accepted.push(fence);
    };

    const work = async (client: SimulatedClient): Promise<void> => {
      const lock = await unlessOutage(() => acquire(client));
      if (lock?.held !== true) return;
      note(`${client.name} holds it with ${lock.fence}`);
      for (const [other, theirs] of holders) {
        if (alone && theirs.held && lock.held) throw new Error(`${client.name} and ${other} hold it`);
      }
      holders.set(client.name, lock);
      await client.sleep(random.integer(0, 2 * TTL_MS));
      // On its way for a while: by the time it arrives the lock may be another's.
      if (lock.held) await client.sleep(random.integer(0, 300)).then(() => write(client, lock.fence));
      await unlessOutage(() => lock.release());
      holders.delete(client.name);
    };

    await Promise.all(
      clients.map(async (client) => {
        while (now() < DURING_MS) {
          await work(client);
          await client.sleep(random.integer(1, 50));
        }
      }),
    );
    if (accepted.length === 0) note("nobody ever wrote");
  };
}

test("one holder at a time, and a stale fence is refused", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(), clients: 3 }, oneHolder(ours, { alone: true, guarded: true }));
});

test("fences rise even where the server loses its data", { timeout: 600_000 }, async () => {
  const faults = { dataLoss: true };
  await simulate({ ...schedules(), clients: 3, faults }, oneHolder(ours, { alone: false, guarded: true }));
});

test("a lock that believes in its ttl alone is held twice, and the simulation finds it", async () => {
  const search = simulate({ schedules: 200, seed: 1, clients: 3 }, oneHolder(naive, { alone: true, guarded: true }));
  await expect(search).rejects.toThrow(/hold it/);
});

test("what is guarded without fences is written out of order, and the simulation finds it", async () => {
  const search = simulate({ schedules: 200, seed: 1, clients: 3 }, oneHolder(naive, { alone: false, guarded: false }));
  await expect(search).rejects.toThrow(SimulationError);
});
