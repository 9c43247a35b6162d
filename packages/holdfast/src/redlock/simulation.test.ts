/**
 * What could go wrong, and the test for each; the same checks find what a Redlock written by hand does wrong:
 * - two holders at a time, in partitions, pauses, restarts ......... "one holder at a time"
 * - a server that came back empty votes twice ..................... "even where servers lose their data"
 * - the next holder's fence is not higher ......................... all of them
 * - a clock is set, and what is guarded is written out of order ... "fences rise though clocks are set"
 * - what a failed attempt left behind blocks the others ........... "a holder that died blocks for two ttls at most"
 */
import { expect, it } from "vitest";
import { CALM, schedules, unlessOutage } from "../../test/support/simulated.ts";
import { redlock } from "../connect.ts";
import { simulate, type SimulatedClient, type Simulation } from "../testing/index.ts";
import type { RedlockOptions } from "./options.ts";

const DURING_MS = 2_500;
const TTL_MS = 500;
const SCHEDULES = 10;
/** For requests on their way, for retries, and for clocks of different speed. */
const SLACK_MS = 300;
/** Servers whose clocks never agreed. */
const APART_MS = 300;
const HOUR_MS = 3_600_000;

interface Held {
  readonly held: boolean;
  readonly fence: number;
  release(): Promise<unknown>;
}

type Acquire = () => Promise<Held | undefined>;
type Make = (client: SimulatedClient) => Acquire;

const ours =
  (options: RedlockOptions = {}): Make =>
  ({ handles }) => {
    const lock = redlock(handles, { maxTtl: TTL_MS, ...options }).lock("job", { ttl: TTL_MS });
    return () => lock.acquire({ wait: "2s" });
  };

/** What is written by hand: SET NX PX on each server, a deadline of its own, and the latest of the servers' times for a fence. */
const byHand =
  (quorum: number): Make =>
  (client) => {
    const { handles, name } = client;
    let attempts = 0;
    return async () => {
      attempts += 1;
      const [token, from] = [`${name}-${attempts}`, client.now()];
      const votes = await Promise.all(
        handles.map(async ({ driver }) => {
          const call = { op: "set", class: "idempotent", timeoutMs: 50 } as const;
          const set = await driver.send(["SET", "job", token, "NX", "PX", String(TTL_MS)], call).catch(() => null);
          if (set === null) return undefined;
          const time = await driver.send(["TIME"], call).catch(() => undefined);
          return time === undefined
            ? undefined
            : Number((time as Buffer[]).map((part) => String(part).padStart(6, "0")).join(""));
        }),
      );
      const given = votes.filter((vote) => vote !== undefined);
      const lock = {
        get held() {
          return !ended && client.now() < from + 0.98 * TTL_MS;
        },
        fence: Math.max(...given),
        async release() {
          ended = true;
          const script = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end";
          const call = { op: "del", class: "idempotent", timeoutMs: 50 } as const;
          await Promise.all(
            handles.map(({ driver }) => driver.send(["EVAL", script, "1", "job", token], call).catch(() => undefined)),
          );
        },
      };
      let ended = false;
      if (given.length >= quorum && lock.held) return lock;
      await lock.release();
      return undefined;
    };
  };

interface Rules {
  /** Nobody holds it beside another. Not to be had where clocks are set. */
  readonly alone: boolean;
  readonly steps?: boolean;
}

function oneHolder(make: Make, { alone, steps = false }: Rules): (simulation: Simulation) => Promise<void> {
  return async ({ clients, servers, random, now, note, sleep }) => {
    // They have been running for long, and their clocks do not agree.
    for (const server of servers) server.stepClock(HOUR_MS + random.integer(-APART_MS, APART_MS));
    const holders = new Map<string, Held>();
    let highest = 0;
    let grants = 0;

    const work = async (client: SimulatedClient, acquire: Acquire): Promise<void> => {
      const before = highest;
      const lock = await unlessOutage(acquire);
      if (lock?.held !== true) return;
      grants += 1;
      note(`${client.name} holds it with ${lock.fence}`);
      for (const [other, theirs] of holders)
        if (alone && theirs.held && lock.held) throw new Error(`${client.name} and ${other} hold it`);
      if (lock.fence <= before) throw new Error(`${client.name} has fence ${lock.fence} after ${before}`);
      highest = Math.max(highest, lock.fence);
      holders.set(client.name, lock);
      await client.sleep(random.integer(0, 2 * TTL_MS));
      await unlessOutage(() => lock.release());
      holders.delete(client.name);
    };

    const step = async (): Promise<void> => {
      if (!steps) return;
      while (now() < DURING_MS) {
        await sleep(random.integer(1, 1_000));
        random.pick(servers).stepClock(random.pick([-HOUR_MS, -1_000, 1_000, HOUR_MS]));
      }
    };

    const works = clients.map(async (client) => {
      const acquire = make(client);
      while (now() < DURING_MS) {
        await work(client, acquire);
        await client.sleep(random.integer(1, 50));
      }
    });
    await Promise.all([...works, step()]);
    if (grants === 0) note("nobody ever held it");
  };
}

const setup = { clients: 3, servers: 5, chaos: "2s" } as const;

it("one holder at a time, and its fence is higher than the last", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(SCHEDULES), ...setup }, oneHolder(ours(), { alone: true }));
});

it("the same even where servers lose their data", { timeout: 600_000 }, async () => {
  const faults = { dataLoss: true };
  await simulate({ ...schedules(SCHEDULES), ...setup, faults }, oneHolder(ours(), { alone: true }));
});

it("the same where late copies are not fenced off", { timeout: 600_000 }, async () => {
  const faults = { lateCopies: true };
  await simulate({ ...schedules(SCHEDULES), ...setup, faults }, oneHolder(ours(), { alone: true }));
});

it("fences rise though clocks are set", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(SCHEDULES), ...setup }, oneHolder(ours(), { alone: false, steps: true }));
});

/** Somebody has three of the five, and one of these forgets it. */
function forgotten(options: RedlockOptions): (simulation: Simulation) => Promise<void> {
  return async ({ clients: [holder, other], servers, random, sleep }) => {
    for (const server of servers) server.stepClock(HOUR_MS);
    const out = random.integer(0, 4);
    const away = [servers[out]!, servers[(out + 1) % 5]!];
    const [held, next] = [holder!, other!].map(({ handles }) =>
      redlock(handles, { maxTtl: TTL_MS, ...options }).lock("job", { ttl: TTL_MS, renew: false }),
    );
    holder!.partition(2 * TTL_MS, away);
    const lock = await held!.acquire();
    random.pick(servers.filter((server) => !away.includes(server))).restart(random.integer(1, 50), "none");
    await sleep(random.integer(50, 150));
    const second = await unlessOutage(() => next!.tryAcquire());
    if (second?.status === "ok" && lock.held) throw new Error("both hold it");
    // It votes again when all that it may have forgotten is over.
    await sleep(TTL_MS + 2_000);
    expect(await next!.acquire()).toMatchObject({ held: true });
  };
}

it("a server that came back empty does not vote until what it forgot is over", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(SCHEDULES), clients: 2, servers: 5, faults: CALM }, forgotten({}));
});

it("where it votes at once two hold the lock, and the simulation finds it", async () => {
  const search = simulate(
    { schedules: 20, seed: 1, clients: 2, servers: 5, faults: CALM },
    forgotten({ delayedRestart: false }),
  );
  await expect(search).rejects.toThrow(/both hold/);
});

it("a holder that died blocks for two ttls at most, though clocks are set back", { timeout: 600_000 }, async () => {
  const body = async ({ clients: [holder, other], servers, random, now, sleep }: Simulation): Promise<void> => {
    for (const server of servers) server.stepClock(2 * HOUR_MS);
    await ours()(holder!)();
    await sleep(random.integer(0, TTL_MS));
    holder!.kill();
    for (const server of servers) server.stepClock(-HOUR_MS);
    const from = now();
    await redlock(other!.handles, { maxTtl: TTL_MS }).lock("job", { ttl: TTL_MS }).acquire({ wait: "2h" });
    expect(now() - from).toBeLessThan(2 * TTL_MS + SLACK_MS);
  };
  await simulate({ ...schedules(SCHEDULES), clients: 2, servers: 5, faults: CALM, limit: "3h" }, body);
});

it("where two of five are enough, two hold it, and the simulation finds it", async () => {
  const search = simulate({ schedules: 200, seed: 1, ...setup }, oneHolder(byHand(2), { alone: true }));
  await expect(search).rejects.toThrow(/hold it/);
});

it("where a fence is not stored on a majority it falls, and the simulation finds it", async () => {
  const search = simulate({ schedules: 200, seed: 1, ...setup }, oneHolder(byHand(3), { alone: true }));
  await expect(search).rejects.toThrow(/has fence/);
});
