/**
 * What could go wrong, and the test for each; the same checks find what a lock written by hand does wrong:
 * - two holders at a time, while the server keeps its data .... "one holder at a time"
 * - a write with an earlier fence counts after a later one .... the same, "even where the server loses its data"
 * - a late copy of a request takes the lock .................. the same, "where late copies are not fenced off"
 * - a slot moves under its holder and its waiters ............ "the same in a cluster, while the lock's slot moves"
 * - the server's clock is set back during all that ............ the first, in half of the schedules
 * - and a holder that died blocks the others for as long ...... "a dead holder blocks for two ttls at most"
 * - waiters that died hold up those behind them for a ttl ..... "costs its successor about a second"
 * - the clock is set forward: a holder believes for ever ...... "a holder learns of it at its next renewal"
 */
import { expect, it } from "vitest";
import { CALM, schedules, unlessOutage } from "../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../testing/index.ts";

const DURING_MS = 4_000;
const TTL_MS = 500;
const MAX_HOLD_MS = 700;
/** For requests on their way, and for clocks of different speed. */
const SLACK_MS = 100;

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

/** How far a clock is set back: from what NTP does to what an operator does. */
const STEPS_BACK_MS = [50, 1_000, 3_600_000];

interface Rules {
  /** Nobody holds it beside another. Not to be had where a server loses its data. */
  readonly alone: boolean;
  /** The guarded side refuses what is older than what it has seen. */
  readonly guarded: boolean;
}

function oneHolder(acquire: Acquire, { alone, guarded }: Rules): (simulation: Simulation) => Promise<void> {
  return async ({ clients, server, random, now, sleep, note }) => {
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

    const work = async (client: SimulatedClient, worker: string): Promise<void> => {
      const lock = await unlessOutage(() => acquire(client));
      if (lock?.held !== true) return;
      note(`${worker} holds it with ${lock.fence}`);
      for (const [other, theirs] of holders) {
        if (alone && theirs.held && lock.held) throw new Error(`${worker} and ${other} hold it`);
      }
      holders.set(worker, lock);
      await client.sleep(random.integer(0, 2 * TTL_MS));
      // On its way for a while: by the time it arrives the lock may be another's.
      if (lock.held) await client.sleep(random.integer(0, 300)).then(() => write(client, lock.fence));
      await unlessOutage(() => lock.release());
      holders.delete(worker);
    };

    // Not where data is lost too: the fence's key then guards nothing.
    const setBack = alone && guarded && random.chance(0.5);
    const steps = async (): Promise<void> => {
      if (!setBack) return;
      while (now() < DURING_MS) {
        await sleep(random.integer(1, 2_000));
        server.stepClock(-random.pick(STEPS_BACK_MS));
      }
    };

    // Several of the first client, which hand it to each other.
    const [first] = clients;
    const works = [first!, first!, ...clients].map(async (client, place) => {
      while (now() < DURING_MS) {
        await work(client, `${client.name}/${place}`);
        await client.sleep(random.integer(1, 50));
      }
    });
    await Promise.all([...works, steps()]);
    if (accepted.length === 0) note("nobody ever wrote");
  };
}

it("one holder at a time, and a stale fence is refused", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(), clients: 3 }, oneHolder(ours, { alone: true, guarded: true }));
});

it("the same where late copies are not fenced off", { timeout: 600_000 }, async () => {
  const faults = { lateCopies: true };
  await simulate({ ...schedules(), clients: 3, faults }, oneHolder(ours, { alone: true, guarded: true }));
});

it("fences rise even where the server loses its data", { timeout: 600_000 }, async () => {
  const faults = { dataLoss: true };
  await simulate({ ...schedules(), clients: 3, faults }, oneHolder(ours, { alone: false, guarded: true }));
});

it("the same in a cluster, while the lock's slot moves to other servers", { timeout: 600_000 }, async () => {
  const cluster = { clients: 3, servers: 3, cluster: true } as const;
  await simulate({ ...schedules(6), ...cluster }, oneHolder(ours, { alone: true, guarded: true }));
});

it("a lock that believes in its ttl alone is held twice, and the simulation finds it", async () => {
  const search = simulate({ schedules: 200, seed: 1, clients: 3 }, oneHolder(naive, { alone: true, guarded: true }));
  await expect(search).rejects.toThrow(/hold it/);
});

it("what is guarded without fences is written out of order, and the simulation finds it", async () => {
  const search = simulate({ schedules: 200, seed: 1, clients: 3 }, oneHolder(naive, { alone: false, guarded: false }));
  await expect(search).rejects.toThrow(SimulationError);
});

/** A holder that renews no more after `maxHold`, and somebody who wants the lock; the server's clock is set meanwhile. */
function afterDeath(acquire: Acquire): (simulation: Simulation) => Promise<void> {
  return async ({ clients: [holder, other], server, random, now, sleep }) => {
    const held = await acquire(holder!);
    await sleep(random.integer(0, 3 * TTL_MS));
    server.stepClock(-random.pick(STEPS_BACK_MS));
    const begun = now();
    let next: Held | undefined;
    while (next === undefined) {
      next = await acquire(other!);
      if (next === undefined) await other!.sleep(10);
      const blockedMs = now() - begun;
      if (blockedMs > MAX_HOLD_MS + 2 * TTL_MS + SLACK_MS) throw new Error(`blocked for ${blockedMs.toFixed(0)} ms`);
    }
    if (held!.held) throw new Error("both hold it");
  };
}

it("the server's clock is set back: a dead holder blocks for two ttls at most", { timeout: 600_000 }, async () => {
  const patient: Acquire = ({ hf }) => hf.lock("job", { ttl: TTL_MS, maxHold: MAX_HOLD_MS }).acquire({ wait: "2h" });
  await simulate({ ...schedules(), clients: 2, faults: CALM, limit: "3h" }, afterDeath(patient));
});

it("a lock that believes in the server's expiry is blocked for as long, and the simulation finds it", async () => {
  const dying: Acquire = async (client) => {
    const lock = await naive(client);
    return lock && { ...lock, held: false };
  };
  const search = simulate({ schedules: 20, seed: 1, clients: 2, faults: CALM }, afterDeath(dying));
  await expect(search).rejects.toThrow(/blocked for/);
});

it("the server's clock is set forward: a holder learns of it at its next renewal", { timeout: 600_000 }, async () => {
  await simulate(
    { ...schedules(), clients: 2, faults: CALM },
    async ({ clients: [holder, other], server, random, sleep }) => {
      const renew = random.chance(0.5);
      const held = await holder!.hf.lock("job", { ttl: TTL_MS, renew }).acquire();
      await sleep(random.integer(0, TTL_MS / 2));
      server.stepClock(3_600_000);
      const next = await other!.hf.lock("job").acquire();
      await sleep(renew ? TTL_MS / 3 + SLACK_MS : TTL_MS);
      if (held.held) throw new Error("it still believes that it holds the lock");
      if (next.fence <= held.fence) throw new Error("the fence did not rise");
    },
  );
});

/** A holder with a long ttl, waiters in their order of whom the first die, and the time that the next one then needs. */
function pastTheDead(dead: number, boundMs: number): (simulation: Simulation) => Promise<void> {
  return async ({ clients, now, sleep }) => {
    const [holder, ...waiters] = clients;
    const patient = (client: SimulatedClient): Promise<Held> =>
      client.hf.lock("job", { ttl: "1h" }).acquire({ wait: "2h" });
    const held = await patient(holder!);
    const waits: Promise<Held>[] = [];
    for (const client of waiters) {
      waits.push(patient(client));
      await sleep(50);
    }
    for (const client of waiters.slice(0, dead)) client.kill();
    for (const wait of waits) wait.catch(() => undefined);
    await held.release();
    const begun = now();
    const next = await waits[dead]!;
    const neededMs = now() - begun;
    if (neededMs > boundMs) throw new Error(`needed ${neededMs.toFixed(0)} ms`);
    await next.release();
    // Whoever waits behind a living one is not held up at all.
    const last = await waits[dead + 1]!;
    if (now() - begun - neededMs > SLACK_MS) throw new Error("the one behind was held up");
    await last.release();
  };
}

it.each([
  [1, 1_300],
  [3, 7_000],
])("%i dead in front of the queue: each costs its successor about a second", { timeout: 600_000 }, async (dead, ms) => {
  await simulate({ ...schedules(10), clients: dead + 3, faults: CALM, limit: "3h" }, pastTheDead(dead, ms));
});
