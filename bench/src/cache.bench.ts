/** A cache hit on the server, value decoded, against a bare GET with and without JSON.parse and against BentoCache. */
import { BentoCache, bentostore } from "bentocache";
import { redisDriver } from "bentocache/drivers/redis";
import { connect } from "holdfast";
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

export const cacheSuite: Suite = {
  contenders: {
    ...PEERS,
    holdfast: async ({ url }) => {
      const users = (await connect(url)).cache<User>("users", { ttl: "1h" });
      await Promise.all(KEYS.map((key, at) => users.set(key, user(at))));
      return (turn) => users.getOrSet(keyFor(turn), neverMissing);
    },
  },
  cases: sideBySide("hit", [1, 50, 500], ["holdfast"], Object.keys(PEERS)),
};

async function parsed(reply: Promise<unknown>): Promise<unknown> {
  return JSON.parse(String(await reply));
}
