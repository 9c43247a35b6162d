/**
 * No stale set: whoever asks after an invalidation was confirmed never gets what was read before it, whatever is lost, late,
 * paused or restarted in between. The same check finds what a cache without leases does wrong, so it can fail. With a level in memory: not later than
 * `BOUND_MS` after the confirmation, and in the process that has invalidated at once.
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage, untilTold } from "../../test/support/simulated.ts";
import { PartialFailureError } from "../base/errors.ts";
import type { CacheOptions } from "./options.ts";
import {
  batchedByHand,
  type CacheOf,
  type Cached,
  gracedByHand,
  mapped,
  naive,
  versioned,
} from "../../test/support/caches-by-hand.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../testing/index.ts";

const KEYS = ["user:1", "user:2", "user:3", "user:4", "user:5", "user:6"];
const BATCH = KEYS.slice(0, 3);
const DURING_MS = 4_000;
/** Until a connection that is silent is given up (pingInterval, pingTimeout), and until a process that was paused has read what it has missed. */
const BOUND_MS = 4_600;

const SETTINGS = { ttl: "1m", loadLease: "400ms", loadTimeout: "2s", timeout: "150ms" } as const;

const ours: CacheOf = ({ hf }) => {
  const cache = hf.cache<number>("users", SETTINGS);
  return {
    getOrSet: (key, load) => cache.getOrSet(key, () => load(key)),
    invalidate: async (key) => cache.delete(key),
  };
};

/** Serves from memory, past their time, what neither the server nor the source answers. */
const graced =
  (more: CacheOptions<number>): CacheOf =>
  ({ hf }) => {
    const l1 = { ttl: "300ms" } as const;
    const cache = hf.cache<number>("users", { ...SETTINGS, grace: "1m", graceBackoff: "200ms", l1, ...more });
    return {
      getOrSet: (key, load) => cache.getOrSet(key, () => load(key)),
      invalidate: async (key) => cache.delete(key),
      isCoherent: () => cache.stats().l1!.isCoherent,
    };
  };

/** All keys in one call, those that are missing in one load. */
const batched: CacheOf = ({ hf }) => {
  const cache = hf.cache<number>("users", SETTINGS);
  return {
    async getOrSet(key, load) {
      const found = cache.getOrSetMany(BATCH, async (missing) => {
        const loaded = missing.map(async (id) => [id, await load(String(id))] as const);
        return new Map(await Promise.all(loaded));
      });
      const values = await found.catch((error: unknown) => {
        if (!(error instanceof PartialFailureError)) throw error;
        if (error.errors.has(key)) throw error.errors.get(key)!;
        return error.results as Map<string, number>;
      });
      return values.get(key)!;
    },
    invalidate: (key) => cache.deleteMany([key]),
  };
};

const inMemory: CacheOf = ({ hf }) => {
  const cache = hf.cache<number>("users", { ...SETTINGS, l1: true });
  return {
    getOrSet: (key, load) => cache.getOrSet(key, () => load(key)),
    invalidate: async (key) => cache.delete(key),
  };
};

/** Each entry by a tag of its own, which is invalidated, by a prefix of its own, or all of them at once. */
const tagged =
  (more: CacheOptions<number>, how: "tag" | "all" | "prefix" = "tag"): CacheOf =>
  ({ hf }) => {
    const cache = hf.cache<number>("users", { ...SETTINGS, ...more });
    return {
      getOrSet: (key, load) => cache.getOrSet(key, () => load(key), { tags: ["every", key] }),
      invalidate: (key) =>
        how === "tag" ? cache.invalidate({ tags: [key] }) : cache.clear(how === "prefix" ? { prefix: key } : {}),
    };
  };

/** What a client has confirmed to be invalid up to this change. */
interface Confirmed {
  readonly key: string;
  readonly change: number;
  readonly at: number;
  readonly by: string;
}

interface Circumstances {
  /** How late others may see it. */
  readonly boundMs?: number;
  /** More of them where something may be missed, since the next change of one hides what was missed of it. */
  readonly keys?: readonly string[];
  /** How many of the loads fail. */
  readonly failing?: number;
}

const DOWN = "the source is down";

function noStaleSet(
  cacheOf: CacheOf,
  { boundMs = 0, keys = boundMs === 0 ? KEYS.slice(0, 1) : KEYS, failing = 0 }: Circumstances = {},
): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now, note }) => {
    /** The database: how often each row was changed. */
    const rows = new Map(keys.map((key) => [key, 1]));
    const confirmed: Confirmed[] = [];
    const known = (client: SimulatedClient, cache: Cached, key: string): number => {
      const isCoherent = cache.isCoherent?.() ?? true;
      const isDue = ({ at, by }: Confirmed) => by === client.name || (isCoherent && at <= now() - boundMs);
      const mustKnow = confirmed.filter((of) => of.key === key && isDue(of));
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
      const atLeast = known(client, cache, key);
      const load = async (id: string): Promise<number> => {
        const value = rows.get(id)!;
        // Long ones outlast an outage: a caller meanwhile, or right after it, must not get what they have read before.
        await client.sleep(random.integer(0, random.chance(0.3) ? 1_500 : 300));
        if (failing > 0 && random.chance(failing)) throw new Error(DOWN);
        return value;
      };
      const value = await unlessOutage(() => cache.getOrSet(key, load)).catch((error: Error) => {
        if (error.message !== DOWN) throw error;
      });
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
    await simulate({ ...schedules(10), clients: 3, chaos: "8s" }, noStaleSet(inMemory, { boundMs: BOUND_MS }));
  },
);

it("nobody gets what was read before its tag was invalidated, or the cache cleared", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(6), clients: 3 }, noStaleSet(tagged({ grace: "1m", refreshAhead: 0.5 })));
  await simulate({ ...schedules(6), clients: 3 }, noStaleSet(tagged({ softTimeout: 0, grace: "1m" }, "all")));
  await simulate({ ...schedules(6), clients: 3 }, noStaleSet(tagged({ softTimeout: 0, grace: "1m" }, "prefix")));
});

it("nor from memory beyond the bound", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(5), clients: 3, chaos: "8s" }, noStaleSet(tagged({ l1: true }), { boundMs: BOUND_MS }));
  await simulate(
    { ...schedules(5), clients: 3, chaos: "8s" },
    noStaleSet(tagged({ l1: true }, "all"), { boundMs: BOUND_MS }),
  );
  await simulate(
    { ...schedules(5), clients: 3, chaos: "8s" },
    noStaleSet(tagged({ l1: true }, "prefix"), { boundMs: BOUND_MS }),
  );
});

it("nobody gets it in a batch", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(), clients: 3 }, noStaleSet(batched, { keys: BATCH }));
});

it(
  "nor from memory in its grace, once it is heard of, and who has invalidated does not at all",
  { timeout: 600_000 },
  async () => {
    const circumstances = { boundMs: BOUND_MS, failing: 0.5 };
    await simulate({ ...schedules(5), clients: 3, chaos: "8s" }, noStaleSet(graced({}), circumstances));
    await simulate(
      { ...schedules(6), clients: 3, chaos: "8s" },
      noStaleSet(graced({ softTimeout: 50 }), circumstances),
    );
  },
);

it("a last value that is served where the source is down is stale, and the simulation finds it", async () => {
  const stale = noStaleSet(gracedByHand(ours), { boundMs: BOUND_MS, failing: 0.5 });
  await expect(simulate({ schedules: 50, seed: 1, clients: 3, chaos: 0 }, stale)).rejects.toThrow(SimulationError);
});

it("a batch without leases serves stale values, and the simulation finds it", async () => {
  const search = simulate(
    { schedules: 200, seed: 1, clients: 3, chaos: 0 },
    noStaleSet(batchedByHand(BATCH), { keys: BATCH }),
  );
  await expect(search).rejects.toThrow(SimulationError);
});

it(
  "nor in a cluster, while slots move to other servers, also from memory beyond the bound",
  { timeout: 600_000 },
  async () => {
    const cluster = { clients: 3, servers: 3, cluster: true } as const;
    await simulate({ ...schedules(4), ...cluster }, noStaleSet(ours));
    await simulate({ ...schedules(3), ...cluster, chaos: "8s" }, noStaleSet(inMemory, { boundMs: BOUND_MS }));
  },
);

it("a version of a tag that is read after the load serves stale values, and the simulation finds it", async () => {
  const search = simulate({ schedules: 200, seed: 1, clients: 3, chaos: 0 }, noStaleSet(versioned));
  await expect(search).rejects.toThrow(SimulationError);
});

it("a map in front of a cache serves stale values, and the simulation finds it", async () => {
  const search = simulate(
    { schedules: 50, seed: 1, clients: 3, chaos: 0 },
    noStaleSet(mapped(ours), { boundMs: BOUND_MS }),
  );
  await expect(search).rejects.toThrow(SimulationError);
});

it("a cache without leases serves stale values, and the simulation finds it", async () => {
  const search = simulate({ schedules: 200, seed: 1, clients: 3, chaos: 0 }, noStaleSet(naive));
  await expect(search).rejects.toThrow(SimulationError);
});
