/**
 * What could go wrong, and the test for each; the same checks find what a semaphore written by hand does wrong:
 * - more permits are held than there are, while the server keeps its data ... "never more than the limit"
 * - a fence is not higher than every earlier one that its holder could see ..... the same, "even where the server loses its data"
 * - the server's clock is set back during all that ............................ the first, in half of the schedules
 * - a late copy of a request holds permits for ever ............................ "all permits come back"
 * - who needs all permits starves ............................................. "comes in", which first-fit does not promise
 */
import { expect, it } from "vitest";
import { CALM, schedules, unlessOutage } from "../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation } from "../testing/index.ts";
import type { SemaphoreOrder } from "./options.ts";

const DURING_MS = 2_000;
const TTL_MS = 500;
const LIMIT = 3;
/** From what NTP does to what an operator does. */
const STEPS_BACK_MS = [50, 1_000, 3_600_000];

interface Held {
  /** What the holder itself believes, at any moment. */
  readonly held: boolean;
  readonly fence: number;
  release(): Promise<unknown>;
}

type Acquire = (client: SimulatedClient, permits: number) => Promise<Held | undefined>;

const ours: Acquire = ({ hf }, permits) =>
  hf.semaphore("gpu", { permits: LIMIT, ttl: TTL_MS, maxHold: "2s" }).acquire({ permits, wait: "2s" });

/** A sorted set of holders that every client prunes by its own clock, as is often written by hand; it believes until it releases. */
const naive: Acquire = async ({ hf: { driver }, name }, permits) => {
  const now = driver.runtime.now();
  const send = (...args: string[]): Promise<unknown> => driver.send(args, { op: "naive", class: "unsafe" }, "gpu");
  await send("ZREMRANGEBYSCORE", "gpu", "-inf", String(now - TTL_MS));
  const members = Array.from({ length: permits }, (_, nth) => `${name}:${now}:${nth}`);
  if (Number(await send("ZCARD", "gpu")) + permits > LIMIT) return undefined;
  await send("ZADD", "gpu", ...members.flatMap((member) => [String(now), member]));
  const held = {
    held: true,
    fence: now,
    async release() {
      held.held = false;
      await send("ZREM", "gpu", ...members);
    },
  };
  return held;
};

function neverMore(acquire: Acquire, dataLoss: boolean): (simulation: Simulation) => Promise<void> {
  return async ({ clients, server, random, now, sleep, note }) => {
    const holders = new Map<Held, number>();
    let highest = 0;
    let grants = 0;

    const work = async (client: SimulatedClient): Promise<void> => {
      const permits = random.integer(1, LIMIT);
      const earlier = highest;
      const grant = await unlessOutage(() => acquire(client, permits));
      if (grant?.held !== true) return;
      grants += 1;
      note(`${client.name} holds ${permits} with ${grant.fence}`);
      if (grant.fence <= earlier) throw new Error(`fence ${grant.fence} came after ${earlier}`);
      highest = Math.max(highest, grant.fence);
      holders.set(grant, permits);
      const inUse = [...holders].reduce((sum, [each, count]) => sum + (each.held ? count : 0), 0);
      if (!dataLoss && inUse > LIMIT) throw new Error(`${inUse} permits are held`);
      await client.sleep(random.integer(0, TTL_MS));
      await unlessOutage(() => grant.release());
      holders.delete(grant);
    };

    const setBack = !dataLoss && random.chance(0.5);
    const steps = async (): Promise<void> => {
      if (!setBack) return;
      while (now() < DURING_MS) {
        await sleep(random.integer(1, 2_000));
        server.stepClock(-random.pick(STEPS_BACK_MS));
      }
    };
    const works = clients.map(async (client) => {
      while (now() < DURING_MS) {
        await work(client);
        await client.sleep(random.integer(1, 50));
      }
    });
    await Promise.all([...works, steps()]);
    if (grants === 0) note("nobody ever held one");
  };
}

it("never more than the limit, and fences that rise", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(15), clients: 3 }, neverMore(ours, false));
});

it("fences rise even where the server loses its data", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(8), clients: 3, faults: { dataLoss: true } }, neverMore(ours, true));
});

it("one that goes by the clocks of its clients is found", async () => {
  const search = simulate({ schedules: 200, seed: 1, clients: 3 }, neverMore(naive, false));
  await expect(search).rejects.toThrow(/permits are held|came after/);
});

it("all permits come back, also where late copies are not fenced off", { timeout: 600_000 }, async () => {
  const faults = { lateCopies: true };
  await simulate({ ...schedules(8), clients: 3, faults, limit: "5m" }, async (simulation) => {
    await neverMore(ours, false)(simulation);
    const { clients, sleep } = simulation;
    await sleep(60_000);
    const all = await clients[0]!.hf.semaphore("gpu", { permits: LIMIT }).acquire({ permits: LIMIT, wait: "2m" });
    await all.release();
  });
});

/** Several that loop for one permit, and one that wants them all. */
function comesIn(order: SemaphoreOrder): (simulation: Simulation) => Promise<void> {
  return async ({ clients: [big, ...small], now, random }) => {
    const semaphore = ({ hf }: SimulatedClient) => hf.semaphore("gpu", { permits: LIMIT, ttl: "10s", order });
    const done = new AbortController();
    const loops = small.flatMap((client) =>
      [1, 2].map(async () => {
        while (!done.signal.aborted && now() < DURING_MS) {
          const held = await semaphore(client).acquire({ wait: "1m" });
          await client.sleep(random.integer(10, 100));
          await held.release();
        }
      }),
    );
    await big!.sleep(200);
    const wanted = now();
    await (await semaphore(big!).acquire({ permits: LIMIT, wait: "1m" })).release();
    done.abort();
    await Promise.all(loops);
    if (now() - wanted > 1_500) throw new Error(`it waited for ${(now() - wanted).toFixed(0)} ms`);
  };
}

it("who needs all permits comes in", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(5), clients: 4, faults: CALM }, comesIn("strict"));
});

it("first-fit lets it wait, and the simulation finds it", async () => {
  const search = simulate({ schedules: 20, seed: 1, clients: 4, faults: CALM }, comesIn("first-fit"));
  await expect(search).rejects.toThrow(/it waited for/);
});
