/**
 * A cache hit on the server, value decoded, against a bare GET with and without JSON.parse and against BentoCache; and one in the process's memory,
 * against BentoCache's first level over its second one and a bare lru-cache.
 */
import { BentoCache, bentostore } from "bentocache";
import { memoryDriver } from "bentocache/drivers/memory";
import { redisDriver } from "bentocache/drivers/redis";
import { type Cache, connect } from "holdfast";
import { LRUCache } from "lru-cache";
import { ioredis, storeUsers, tunedNodeRedis } from "./clients.ts";
import { KEYS, keyFor, neverMissing, user, type User } from "./samples.ts";
import { sideBySide, type Suite } from "./suite.ts";

const PEERS: Suite["contenders"] = {
  "node-redis tuned GET": async (target) => {
    await storeUsers(target);
    const client = await tunedNodeRedis(target);
    return (turn) => client.sendCommand(["GET", keyFor(turn)]);
  },
  "node-redis tuned GET + JSON.parse": async (target) => {
    await storeUsers(target);
    const client = await tunedNodeRedis(target);
    return (turn) => parsed(client.sendCommand(["GET", keyFor(turn)]));
  },
  "ioredis auto-pipelined GET": async (target) => {
    await storeUsers(target);
    const client = ioredis(target, true);
    return (turn) => client.get(keyFor(turn));
  },
  "ioredis auto-pipelined GET + JSON.parse": async (target) => {
    await storeUsers(target);
    const client = ioredis(target, true);
    return (turn) => parsed(client.get(keyFor(turn)));
  },
  BentoCache: async ({ port }) => {
    const driver = redisDriver({ connection: { host: "127.0.0.1", port } });
    const cache = new BentoCache({ default: "redis", stores: { redis: bentostore().useL2Layer(driver) } });
    await Promise.all(KEYS.map((key, at) => cache.set({ key, value: user(at), ttl: "1h" })));
    return (turn) => cache.getOrSet({ key: keyFor(turn), factory: neverMissing });
  },
};

const MEMORY_PEERS: Suite["contenders"] = {
  "BentoCache L1": async ({ port }) => {
    const driver = redisDriver({ connection: { host: "127.0.0.1", port } });
    const store = bentostore()
      .useL1Layer(memoryDriver({ maxItems: 10_000 }))
      .useL2Layer(driver);
    const cache = new BentoCache({ default: "both", stores: { both: store } });
    await Promise.all(KEYS.map((key, at) => cache.set({ key, value: user(at), ttl: "1h" })));
    return (turn) => cache.getOrSet({ key: keyFor(turn), factory: neverMissing });
  },
  "lru-cache": async () => {
    const cache = new LRUCache<string, User>({ max: 10_000, ttl: 3_600_000 });
    for (const [at, key] of KEYS.entries()) cache.set(key, user(at));
    return (turn) => Promise.resolve(cache.get(keyFor(turn)));
  },
};

/** All of them in memory. */
async function warm(url: string): Promise<Cache<User>> {
  const users = (await connect(url)).cache<User>("users", { ttl: "1h", l1: true });
  await users.setMany(KEYS.map((key, at) => [key, user(at)] as const));
  while (users.stats().l1!.entries < KEYS.length) await users.getMany(KEYS);
  return users;
}

export const cacheSuite: Suite = {
  contenders: {
    ...PEERS,
    ...MEMORY_PEERS,
    "holdfast L1": async ({ url }) => {
      const users = await warm(url);
      return (turn) => users.getOrSet(keyFor(turn), neverMissing);
    },
    "holdfast peek": async ({ url }) => {
      const users = await warm(url);
      return (turn) => Promise.resolve(users.peek(keyFor(turn)));
    },
    holdfast: async ({ url }) => {
      const users = (await connect(url)).cache<User>("users", { ttl: "1h" });
      await Promise.all(KEYS.map((key, at) => users.set(key, user(at))));
      return (turn) => users.getOrSet(keyFor(turn), neverMissing);
    },
  },
  cases: [
    ...sideBySide("hit", [1, 50, 500], ["holdfast"], Object.keys(PEERS)),
    ...sideBySide("hit in memory", [1], ["holdfast L1", "holdfast peek"], Object.keys(MEMORY_PEERS)),
  ],
};

async function parsed(reply: Promise<unknown>): Promise<unknown> {
  return JSON.parse(String(await reply));
}
