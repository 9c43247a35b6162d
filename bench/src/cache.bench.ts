/**
 * A cache hit on the server, value decoded; one in the process's memory over it; and a batch: against bare clients, a bare lru-cache, and other caches.
 */
import { type Cache, connect } from "holdfast";
import { LRUCache } from "lru-cache";
import { batchesOf, batchFor, hitsOf } from "./cache/peers.ts";
import { ioredis, storeUsers, tunedNodeRedis } from "./clients.ts";
import { KEYS, keyFor, neverMissing, user, type User } from "./samples.ts";
import { sideBySide, type Suite } from "./suite.ts";

const BATCH = 100;

const SERVER_PEERS: Suite["contenders"] = {
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
  ...hitsOf("server"),
};

const MEMORY_PEERS: Suite["contenders"] = {
  ...named("in memory", hitsOf("memory")),
  "lru-cache": async () => {
    const cache = new LRUCache<string, User>({ max: 10_000, ttl: 3_600_000 });
    for (const [at, key] of KEYS.entries()) cache.set(key, user(at));
    return (turn) => Promise.resolve(cache.get(keyFor(turn)));
  },
};

const BATCH_PEERS: Suite["contenders"] = {
  "node-redis tuned MGET + JSON.parse": async (target) => {
    await storeUsers(target);
    const client = await tunedNodeRedis(target);
    return async (turn) => {
      const replies = (await client.sendCommand(["MGET", ...batchFor(turn, BATCH)])) as unknown as string[];
      return replies.map((reply) => JSON.parse(reply) as User);
    };
  },
  ...named("batch", batchesOf(BATCH)),
};

export const cacheSuite: Suite = {
  contenders: {
    ...SERVER_PEERS,
    ...MEMORY_PEERS,
    ...BATCH_PEERS,
    holdfast: async ({ url }) => {
      const users = (await connect(url)).cache<User>("users", { ttl: "1h" });
      await Promise.all(KEYS.map((key, at) => users.set(key, user(at))));
      return (turn) => users.getOrSet(keyFor(turn), neverMissing);
    },
    "holdfast in memory": async ({ url }) => {
      const users = await warm(url);
      return (turn) => users.getOrSet(keyFor(turn), neverMissing);
    },
    "holdfast peek": async ({ url }) => {
      const users = await warm(url);
      return (turn) => Promise.resolve(users.peek(keyFor(turn)));
    },
    "holdfast batch": async ({ url }) => {
      const users = (await connect(url)).cache<User>("users", { ttl: "1h" });
      await users.setMany(KEYS.map((key, at) => [key, user(at)] as const));
      return (turn) => users.getMany(batchFor(turn, BATCH));
    },
  },
  cases: [
    ...sideBySide("hit", [1, 50, 500], ["holdfast"], Object.keys(SERVER_PEERS)),
    ...sideBySide("hit in memory", [1], ["holdfast in memory", "holdfast peek"], Object.keys(MEMORY_PEERS)),
    ...sideBySide(`batch of ${BATCH}`, [1], ["holdfast batch"], Object.keys(BATCH_PEERS)),
  ],
};

/** All of them in memory. */
async function warm(url: string): Promise<Cache<User>> {
  const users = (await connect(url)).cache<User>("users", { ttl: "1h", l1: true });
  await users.setMany(KEYS.map((key, at) => [key, user(at)] as const));
  while (users.stats().l1!.entries < KEYS.length) await users.getMany(KEYS);
  return users;
}

/** Contenders of one suite have different names. */
function named(what: string, contenders: Suite["contenders"]): Suite["contenders"] {
  return Object.fromEntries(Object.entries(contenders).map(([name, of]) => [`${name}, ${what}`, of]));
}

async function parsed(reply: Promise<unknown>): Promise<unknown> {
  return JSON.parse(String(await reply));
}
