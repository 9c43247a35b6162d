/**
 * No stale set: whoever asks after an invalidation was confirmed never gets what was read before it, whatever is lost, late,
 * paused or restarted in between. The same check finds what a cache without leases does wrong, so it can fail.
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage, untilTold } from "../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../testing/index.ts";

const KEY = "user:1";
const DURING_MS = 4_000;

/** A cache as the property sees it. */
interface Cached {
  getOrSet(load: () => Promise<number>): Promise<number>;
  invalidate(): Promise<unknown>;
}

type CacheOf = (client: SimulatedClient) => Cached;

const ours: CacheOf = ({ hf }) => {
  const cache = hf.cache<number>("users", { ttl: "1m", loadLease: "400ms", loadTimeout: "2s", timeout: "150ms" });
  return { getOrSet: (load) => cache.getOrSet(KEY, load), invalidate: async () => cache.delete(KEY) };
};

/** As it is written by hand. */
const naive: CacheOf = ({ hf: { driver } }) => ({
  async getOrSet(load) {
    const found = await driver.send(["GET", KEY], { op: "get", class: "read" }, KEY);
    if (found !== null) return Number(found);
    const value = await load();
    await driver.send(["SET", KEY, String(value), "PX", "60000"], { op: "set", class: "idempotent" }, KEY);
    return value;
  },
  invalidate: () => driver.send(["DEL", KEY], { op: "delete", class: "idempotent" }, KEY),
});

function noStaleSet(cacheOf: CacheOf): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now, note }) => {
    /** The database: how often the row was changed, and up to which change an invalidation was confirmed. */
    let row = 1;
    let confirmed = 1;

    const write = async (client: SimulatedClient): Promise<void> => {
      row += 1;
      const written = row;
      await untilTold(client, () =>
        cacheOf(client)
          .invalidate()
          .then(() => true),
      );
      confirmed = Math.max(confirmed, written);
      note(`${client.name} has invalidated ${written}`);
    };
    const read = async (client: SimulatedClient, cache: Cached): Promise<void> => {
      const atLeast = confirmed;
      const load = async (): Promise<number> => {
        const value = row;
        // Long ones outlast an outage: a caller meanwhile, or right after it, must not get what they have read before.
        await client.sleep(random.integer(0, random.chance(0.3) ? 1_500 : 300));
        return value;
      };
      const value = await unlessOutage(() => cache.getOrSet(load));
      if (value !== undefined && value < atLeast) throw new Error(`${client.name} got ${value} after ${atLeast}`);
    };

    await Promise.all(
      clients.map(async (client) => {
        const cache = cacheOf(client);
        const reads: Promise<void>[] = [];
        const failures: unknown[] = [];
        while (now() < DURING_MS && failures.length === 0) {
          if (random.chance(0.2)) await write(client);
          else reads.push(read(client, cache).catch((error: unknown) => void failures.push(error)));
          await client.sleep(random.integer(0, 200));
        }
        await Promise.all(reads);
        if (failures.length > 0) throw failures[0];
        await read(client, cache);
      }),
    );
  };
}

it("nobody gets what was read before an invalidation that was confirmed", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(), clients: 3 }, noStaleSet(ours));
});

it("a cache without leases serves stale values, and the simulation finds it", async () => {
  const search = simulate({ schedules: 200, seed: 1, clients: 3, chaos: 0 }, noStaleSet(naive));
  await expect(search).rejects.toThrow(SimulationError);
});
