/** The caches that teams use, each set up as its own documentation says, with the samples in it: on the server, or also in the process's memory. */
import { createCache as dedupingCache } from "async-cache-dedupe";
import { BentoCache, bentostore } from "bentocache";
import { memoryDriver } from "bentocache/drivers/memory";
import { redisDriver } from "bentocache/drivers/redis";
import { Cacheable } from "cacheable";
import { type Cache as ManagedCache, createCache as managedCache } from "cache-manager";
import { Keyv } from "keyv";
import KeyvRedis from "@keyv/redis";
import { ioredis } from "../clients.ts";
import { keyFor, KEYS, neverMissing, user, type User } from "../samples.ts";
import type { Contender, Operation, Target } from "../suite.ts";

const HOUR_MS = 3_600_000;
/** More than there are samples. */
const ROOM = 10_000;

/** Ids of one batch. */
export function batchFor(turn: number, size: number): string[] {
  return Array.from({ length: size }, (_, at) => keyFor(turn * size + at));
}

export type Level = "server" | "memory";

/** One contender per cache: a hit. */
export function hitsOf(level: Level): Record<string, Contender> {
  return {
    BentoCache: async (target) => {
      const cache = await bentoCache(target, level);
      return (turn) => cache.getOrSet({ key: keyFor(turn), factory: neverMissing });
    },
    cacheable: async (target) => {
      const cache = await cacheable(target, level);
      return (turn) => cache.getOrSet(keyFor(turn), neverMissing);
    },
    "cache-manager": async (target) => {
      const cache = await cacheManager(target, level);
      return (turn) => cache.wrap(keyFor(turn), neverMissing);
    },
    "async-cache-dedupe": (target) => asyncCacheDedupe(target, level),
  };
}

/** One contender per cache: a batch of hits on the server, as far as it has any such call. */
export function batchesOf(size: number): Record<string, Contender> {
  return {
    "BentoCache, each by itself": async (target) => {
      const cache = await bentoCache(target, "server");
      return (turn) => Promise.all(batchFor(turn, size).map((key) => cache.get({ key })));
    },
    cacheable: async (target) => {
      const cache = await cacheable(target, "server");
      return (turn) => cache.getMany<User>(batchFor(turn, size));
    },
    "cache-manager": async (target) => {
      const cache = await cacheManager(target, "server");
      return (turn) => cache.mget<User>(batchFor(turn, size));
    },
  };
}

async function bentoCache({ port }: Target, level: Level) {
  const driver = redisDriver({ connection: { host: "127.0.0.1", port } });
  const store = level === "memory" ? bentostore().useL1Layer(memoryDriver({ maxItems: ROOM })) : bentostore();
  const cache = new BentoCache({ default: "users", stores: { users: store.useL2Layer(driver) } });
  await Promise.all(KEYS.map((key, at) => cache.set({ key, value: user(at), ttl: "1h" })));
  return cache;
}

async function cacheable({ url }: Target, level: Level): Promise<Cacheable> {
  const primary = new Keyv({ store: new KeyvRedis(url) });
  const cache = new Cacheable({ ttl: HOUR_MS, ...(level === "memory" ? { secondary: primary } : { primary }) });
  await Promise.all(KEYS.map((key, at) => cache.set(key, user(at))));
  return cache;
}

async function cacheManager({ url }: Target, level: Level): Promise<ManagedCache> {
  const server = new Keyv({ store: new KeyvRedis(url) });
  const cache = managedCache({ stores: level === "memory" ? [new Keyv(), server] : [server], ttl: HOUR_MS });
  await Promise.all(KEYS.map((key, at) => cache.set(key, user(at))));
  return cache;
}

/** It has one level: the one or the other. */
async function asyncCacheDedupe(target: Target, level: Level): Promise<Operation> {
  const cache = dedupingCache({
    ttl: HOUR_MS / 1_000,
    storage:
      level === "memory"
        ? { type: "memory", options: { size: ROOM } }
        : { type: "redis", options: { client: ioredis(target, true) } },
  }).define("user", async (key: string) => user(KEYS.indexOf(key)));
  await Promise.all(KEYS.map((key) => cache.user(key)));
  return (turn) => cache.user(keyFor(turn));
}
