/**
 * No stale set: whoever asks after an invalidation was confirmed never gets what was read before it, whatever is lost, late,
 * paused or restarted in between. The same check finds what a cache without leases does wrong, so it can fail. With a level in memory: not later than
 * `BOUND_MS` after the confirmation, and in the process that has invalidated at once.
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage, untilTold } from "../../test/support/simulated.ts";
import type { CacheOptions } from "./options.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../testing/index.ts";

const KEYS = ["user:1", "user:2", "user:3", "user:4", "user:5", "user:6"];
const DURING_MS = 4_000;
/** Until a connection that is silent is given up (pingInterval, pingTimeout), and until a process that was paused has read what it has missed. */
const BOUND_MS = 4_600;

/** A cache as the property sees it. */
interface Cached {
  getOrSet(key: string, load: () => Promise<number>): Promise<number>;
  invalidate(key: string): Promise<unknown>;
}

type CacheOf = (client: SimulatedClient) => Cached;

const SETTINGS = { ttl: "1m", loadLease: "400ms", loadTimeout: "2s", timeout: "150ms" } as const;

const ours: CacheOf = ({ hf }) => {
  const cache = hf.cache<number>("users", SETTINGS);
  return { getOrSet: (key, load) => cache.getOrSet(key, load), invalidate: async (key) => cache.delete(key) };
};

const inMemory: CacheOf = ({ hf }) => {
  const cache = hf.cache<number>("users", { ...SETTINGS, l1: true });
  return { getOrSet: (key, load) => cache.getOrSet(key, load), invalidate: async (key) => cache.delete(key) };
};

/** Each entry by a tag of its own, which is invalidated, or all of them at once. */
const tagged =
  (more: CacheOptions<number>, all = false): CacheOf =>
  ({ hf }) => {
    const cache = hf.cache<number>("users", { ...SETTINGS, ...more });
    return {
      getOrSet: (key, load) => cache.getOrSet(key, load, { tags: ["every", key] }),
      invalidate: (key) => (all ? cache.clear() : cache.invalidate({ tags: [key] })),
    };
  };

/** Versions of tags as they are written by hand: read when the value is stored. */
const versioned: CacheOf = ({ hf: { driver } }) => {
  const ask = (...args: [string, string, ...string[]]) =>
    driver.send(args, { op: "test", class: "idempotent" }, args[1]);
  return {
    async getOrSet(key, load) {
      const [found, current] = await Promise.all([ask("GET", key), ask("GET", `tag:${key}`)]);
      const [version, stored] = String(found ?? "").split(" ");
      if (found !== null && version === String(current)) return Number(stored);
      const value = await load();
      await ask("SET", key, `${String(await ask("GET", `tag:${key}`))} ${value}`, "PX", "60000");
      return value;
    },
    invalidate: (key) => ask("INCR", `tag:${key}`),
  };
};

/** A map in front of a cache, as it is written by hand. */
const mapped: CacheOf = (client) => {
  const cache = ours(client);
  const known = new Map<string, number>();
  return {
    async getOrSet(key, load) {
      const value = known.get(key) ?? (await cache.getOrSet(key, load));
      known.set(key, value);
      return value;
    },
    invalidate(key) {
      known.delete(key);
      return cache.invalidate(key);
    },
  };
};

/** As it is written by hand. */
const naive: CacheOf = ({ hf: { driver } }) => ({
  async getOrSet(key, load) {
    const found = await driver.send(["GET", key], { op: "get", class: "read" }, key);
    if (found !== null) return Number(found);
    const value = await load();
    await driver.send(["SET", key, String(value), "PX", "60000"], { op: "set", class: "idempotent" }, key);
    return value;
  },
  invalidate: (key) => driver.send(["DEL", key], { op: "delete", class: "idempotent" }, key),
});

/** What a client has confirmed to be invalid up to this change. */
interface Confirmed {
  readonly key: string;
  readonly change: number;
  readonly at: number;
  readonly by: string;
}

/** @param boundMs how late others may see it; there are more keys then, since the next change of one hides what was missed of it */
function noStaleSet(cacheOf: CacheOf, boundMs = 0): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now, note }) => {
    const keys = boundMs === 0 ? KEYS.slice(0, 1) : KEYS;
    /** The database: how often each row was changed. */
    const rows = new Map(keys.map((key) => [key, 1]));
    const confirmed: Confirmed[] = [];
    const known = (client: SimulatedClient, key: string): number => {
      const mustKnow = confirmed.filter((of) => of.key === key && (of.by === client.name || of.at <= now() - boundMs));
      return Math.max(1, ...mustKnow.map(({ change }) => change));
    };

    const write = async (client: SimulatedClient, cache: Cached, key: string): Promise<void> => {
      const change = rows.get(key)! + 1;
      rows.set(key, change);
      await untilTold(client, () => cache.invalidate(key).then(() => true));
      confirmed.push({ key, change, at: now(), by: client.name });
      note(`${client.name} has invalidated ${key} ${change}`);
    };
    const read = async (client: SimulatedClient, cache: Cached, key: string): Promise<void> => {
      const atLeast = known(client, key);
      const load = async (): Promise<number> => {
        const value = rows.get(key)!;
        // Long ones outlast an outage: a caller meanwhile, or right after it, must not get what they have read before.
        await client.sleep(random.integer(0, random.chance(0.3) ? 1_500 : 300));
        return value;
      };
      const value = await unlessOutage(() => cache.getOrSet(key, load));
      if (value !== undefined && value < atLeast)
        throw new Error(`${client.name} got ${key} ${value} after ${atLeast}`);
    };

    await Promise.all(
      clients.map(async (client) => {
        const cache = cacheOf(client);
        const reads: Promise<void>[] = [];
        const failures: unknown[] = [];
        while (now() < DURING_MS + 2 * boundMs && failures.length === 0) {
          const key = random.pick(keys);
          if (random.chance(0.2 / keys.length)) await write(client, cache, key);
          else reads.push(read(client, cache, key).catch((error: unknown) => void failures.push(error)));
          await client.sleep(random.integer(0, 200));
        }
        await Promise.all(reads);
        if (failures.length > 0) throw failures[0];
        await client.sleep(boundMs);
        for (const key of keys) await read(client, cache, key);
      }),
    );
  };
}

it("nobody gets what was read before an invalidation that was confirmed", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(), clients: 3 }, noStaleSet(ours));
});

it(
  "nobody gets it from memory beyond the bound, and who has invalidated does not at all",
  { timeout: 600_000 },
  async () => {
    await simulate({ ...schedules(30), clients: 3, chaos: "8s" }, noStaleSet(inMemory, BOUND_MS));
  },
);

it("nobody gets what was read before its tag was invalidated, or the cache cleared", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(15), clients: 3 }, noStaleSet(tagged({ grace: "1m", refreshAhead: 0.5 })));
  await simulate({ ...schedules(15), clients: 3 }, noStaleSet(tagged({ softTimeout: 0, grace: "1m" }, true)));
});

it("nor from memory beyond the bound", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(12), clients: 3, chaos: "8s" }, noStaleSet(tagged({ l1: true }), BOUND_MS));
  await simulate({ ...schedules(12), clients: 3, chaos: "8s" }, noStaleSet(tagged({ l1: true }, true), BOUND_MS));
});

it("a version of a tag that is read after the load serves stale values, and the simulation finds it", async () => {
  const search = simulate({ schedules: 200, seed: 1, clients: 3, chaos: 0 }, noStaleSet(versioned));
  await expect(search).rejects.toThrow(SimulationError);
});

it("a map in front of a cache serves stale values, and the simulation finds it", async () => {
  const search = simulate({ schedules: 50, seed: 1, clients: 3, chaos: 0 }, noStaleSet(mapped, BOUND_MS));
  await expect(search).rejects.toThrow(SimulationError);
});

it("a cache without leases serves stale values, and the simulation finds it", async () => {
  const search = simulate({ schedules: 200, seed: 1, clients: 3, chaos: 0 }, noStaleSet(naive));
  await expect(search).rejects.toThrow(SimulationError);
});
