/** Caches as they are written by hand, each with what is wrong about it: for the simulation to find. */
import type { SimulatedClient } from "../../src/testing/index.ts";

/** A cache as the property sees it. */
export interface Cached {
  getOrSet(key: string, load: (key: string) => Promise<number>): Promise<number>;
  invalidate(key: string): Promise<unknown>;
  /** While it is not so, only what this process itself has invalidated must be known to it. @default always */
  isCoherent?(): boolean;
}

export type CacheOf = (client: SimulatedClient) => Cached;

/** Versions of tags as they are written by hand: read when the value is stored. */
export const versioned: CacheOf = ({ hf: { driver } }) => {
  const ask = (...args: [string, string, ...string[]]) =>
    driver.send(args, { op: "test", class: "idempotent" }, args[1]);
  return {
    async getOrSet(key, load) {
      const [found, current] = await Promise.all([ask("GET", key), ask("GET", `tag:${key}`)]);
      const [version, stored] = String(found ?? "").split(" ");
      if (found !== null && version === String(current)) return Number(stored);
      const value = await load(key);
      await ask("SET", key, `${String(await ask("GET", `tag:${key}`))} ${value}`, "PX", "60000");
      return value;
    },
    invalidate: (key) => ask("INCR", `tag:${key}`),
  };
};

/** A map in front of a cache, as it is written by hand. */
export const mapped =
  (behind: CacheOf): CacheOf =>
  (client) => {
    const cache = behind(client);
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

/** A batch as it is written by hand. */
export const batchedByHand =
  (keys: readonly string[]): CacheOf =>
  ({ hf: { driver } }) => {
    const call = { op: "test", class: "idempotent" } as const;
    return {
      async getOrSet(key, load) {
        const found = (await driver.send(["MGET", ...keys], call, key)) as (Buffer | null)[];
        const values = await Promise.all(
          found.map(async (value, at) => (value === null ? load(keys[at]!) : Number(value))),
        );
        for (const [at, value] of values.entries())
          if (found[at] === null) await driver.send(["SET", keys[at]!, String(value)], call, key);
        return values[keys.indexOf(key)]!;
      },
      invalidate: (key) => driver.send(["DEL", key], call, key),
    };
  };

/** As it is written by hand: the last value is served where the source is down. */
export const gracedByHand =
  (behind: CacheOf): CacheOf =>
  (client) => {
    const cache = behind(client);
    const last = new Map<string, number>();
    return {
      async getOrSet(key, load) {
        try {
          const value = await cache.getOrSet(key, load);
          last.set(key, value);
          return value;
        } catch (error) {
          if (!last.has(key)) throw error;
          return last.get(key)!;
        }
      },
      invalidate: (key) => (last.delete(key), cache.invalidate(key)),
    };
  };

/** As it is written by hand. */
export const naive: CacheOf = ({ hf: { driver } }) => ({
  async getOrSet(key, load) {
    const found = await driver.send(["GET", key], { op: "get", class: "read" }, key);
    if (found !== null) return Number(found);
    const value = await load(key);
    await driver.send(["SET", key, String(value), "PX", "60000"], { op: "set", class: "idempotent" }, key);
    return value;
  },
  invalidate: (key) => driver.send(["DEL", key], { op: "delete", class: "idempotent" }, key),
});
