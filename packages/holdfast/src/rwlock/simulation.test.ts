/**
 * What could go wrong, and the test for each; the same checks find what a read-write lock written by hand does wrong:
 * - somebody is in beside a writer, while the server keeps its data ....... "readers xor writer"
 * - also when holds are upgraded and downgraded ......................... the same
 * - a writer's fence is not higher than every earlier one ................ the same, "even where the server loses its data"
 * - the server's clock is set back during all that ...................... the first, in half of the schedules
 * - a late copy of a request blocks the lock for ever .................... "is free again"
 * - a writer starves while readers loop, or a reader while writers do ...... "nobody starves"
 */
import { expect, it } from "vitest";
import { CALM, schedules, unlessOutage } from "../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation } from "../testing/index.ts";

const DURING_MS = 2_000;
const TTL_MS = 500;
/** From what NTP does to what an operator does. */
const STEPS_BACK_MS = [50, 1_000, 3_600_000];

interface Held {
  /** What the holder itself believes, at any moment. */
  readonly held: boolean;
  readonly fence: number;
  release(): Promise<unknown>;
}

type Way = "read" | "write" | "upgrade" | "downgrade";
type Acquire = (client: SimulatedClient, way: Way) => Promise<(Held & { writes: boolean }) | undefined>;

function view(held: Held, writes: boolean): Held & { writes: boolean } {
  return {
    writes,
    fence: held.fence,
    release: () => held.release(),
    get held() {
      return held.held;
    },
  };
}

const ours: Acquire = async ({ hf }, way) => {
  const lock = hf.rwlock("config", { ttl: TTL_MS, maxHold: "2s" });
  if (way === "read") return view(await lock.read.acquire({ wait: "2s" }), false);
  if (way === "write") return view(await lock.write.acquire({ wait: "2s" }), true);
  if (way === "downgrade") {
    const writing = await lock.write.acquire({ wait: "2s" });
    return view(await writing.downgrade(), false);
  }
  const reading = await lock.upgradable.acquire({ wait: "2s" });
  try {
    return view(await reading.upgrade({ wait: "1s" }), true);
  } catch (error) {
    await unlessOutage(() => reading.release());
    throw error;
  }
};

/** A key for the writer and a count of readers, both with a ttl: what is written by hand. It believes until it has released. */
const naive: Acquire = async ({ hf: { driver }, name }, way) => {
  const send = (...args: string[]): Promise<unknown> => driver.send(args, { op: "naive", class: "unsafe" }, args[1]);
  const writes = way === "write" || way === "upgrade";
  if (writes) {
    if (Number((await send("GET", "{a}readers")) ?? 0) > 0) return undefined;
    if ((await send("SET", "{a}writer", name, "NX", "PX", String(TTL_MS))) === null) return undefined;
  } else {
    if ((await send("GET", "{a}writer")) !== null) return undefined;
    await send("INCR", "{a}readers");
    await send("PEXPIRE", "{a}readers", String(TTL_MS));
  }
  const held = {
    writes,
    held: true,
    fence: Number(await send("INCR", "{a}fence")),
    async release() {
      held.held = false;
      await (writes ? send("DEL", "{a}writer") : send("DECR", "{a}readers"));
    },
  };
  return held;
};

function readersXorWriter(acquire: Acquire, dataLoss: boolean): (simulation: Simulation) => Promise<void> {
  return async ({ clients, server, random, now, sleep, note }) => {
    const holders = new Map<Held & { writes: boolean }, string>();
    let highest = 0;

    const work = async (client: SimulatedClient): Promise<void> => {
      const way = random.pick<Way>(["read", "read", "write", "upgrade", "downgrade"]);
      const earlier = highest;
      const grant = await unlessOutage(() => acquire(client, way).catch(leaseLost));
      if (grant?.held !== true) return;
      note(`${client.name} holds it, ${way}, with ${grant.fence}`);
      if (grant.writes && grant.fence <= earlier) throw new Error(`fence ${grant.fence} came after ${earlier}`);
      if (grant.writes) highest = Math.max(highest, grant.fence);
      for (const [other, whose] of holders) {
        const clash = (other.writes || grant.writes) && other.held && grant.held;
        if (clash && !dataLoss) throw new Error(`${client.name} (${way}) is in beside ${whose}`);
      }
      holders.set(grant, `${client.name} (${way})`);
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
  };
}

/** Of an upgrade or a downgrade that came too late. */
function leaseLost(error: unknown): undefined {
  if ((error as { code?: string }).code !== "LEASE_LOST") throw error;
}

it("readers xor writer, and writers' fences that rise", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(15), clients: 3 }, readersXorWriter(ours, false));
});

it("fences rise even where the server loses its data", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(8), clients: 3, faults: { dataLoss: true } }, readersXorWriter(ours, true));
});

it("one that believes in its ttl alone is found", async () => {
  const search = simulate({ schedules: 200, seed: 1, clients: 3 }, readersXorWriter(naive, false));
  await expect(search).rejects.toThrow(/is in beside|came after/);
});

it("is free again, also where late copies are not fenced off", { timeout: 600_000 }, async () => {
  const faults = { lateCopies: true };
  await simulate({ ...schedules(8), clients: 3, faults, limit: "5m" }, async (simulation) => {
    await readersXorWriter(ours, false)(simulation);
    const { clients, sleep } = simulation;
    await sleep(60_000);
    await (await clients[0]!.hf.rwlock("config").write.acquire({ wait: "2m" })).release();
  });
});

/** Several that read in a loop, or write, and one that wants to do the other. */
function comesIn(acquire: Acquire, loops: Way, wanted: Way): (simulation: Simulation) => Promise<void> {
  return async ({ clients: [one, ...others], now, random }) => {
    const done = new AbortController();
    const until = async (client: SimulatedClient, way: Way): Promise<Held> => {
      for (;;) {
        const held = await acquire(client, way);
        if (held !== undefined) return held;
        await client.sleep(5);
      }
    };
    const works = others.map(async (client) => {
      while (!done.signal.aborted && now() < DURING_MS) {
        const held = await until(client, loops);
        await client.sleep(random.integer(20, 200));
        await held.release();
      }
    });
    await one!.sleep(200);
    const begun = now();
    await (await until(one!, wanted)).release();
    const waited = now() - begun;
    done.abort();
    await Promise.all(works);
    if (waited > 1_000) throw new Error(`it waited for ${waited.toFixed(0)} ms`);
  };
}

it("nobody starves: a writer among readers, a reader among writers", { timeout: 600_000 }, async () => {
  const options = { ...schedules(5), clients: 4, faults: CALM };
  await simulate(options, comesIn(ours, "read", "write"));
  await simulate(options, comesIn(ours, "write", "read"));
});

it("one that lets readers in while a writer waits starves it, and the simulation finds it", async () => {
  const search = simulate({ schedules: 20, seed: 1, clients: 6, faults: CALM }, comesIn(naive, "read", "write"));
  await expect(search).rejects.toThrow(/it waited for/);
});
