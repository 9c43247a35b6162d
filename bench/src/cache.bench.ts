/** A cache hit on the server, value decoded, against a bare GET with JSON.parse and against BentoCache. */
import { BentoCache, bentostore } from "bentocache";
import { redisDriver } from "bentocache/drivers/redis";
import { connect } from "holdfast";
import { ioredis, tunedNodeRedis } from "./clients.ts";
import type { Contender } from "./measure.ts";
import { KEYS, keyFor, user, type User } from "./samples.ts";
import type { Case, Suite } from "./suite.ts";

export const cacheSuite: Suite = async (server) => {
  const hf = await connect(server.url);
  const users = hf.cache<User>("users", { ttl: "1h" });
  const tuned = await tunedNodeRedis(server.url);
  const auto = ioredis(server.port, true);
  const bento = new BentoCache({
    default: "redis",
    stores: { redis: bentostore().useL2Layer(redisDriver({ connection: { host: "127.0.0.1", port: server.port } })) },
  });
  for (const [at, key] of KEYS.entries()) {
    await Promise.all([
      users.set(key, user(at)),
      tuned.sendCommand(["SET", key, JSON.stringify(user(at))]),
      bento.set({ key, value: user(at), ttl: "1h" }),
    ]);
  }

  const missing = (): never => {
    throw new Error("every key is there");
  };
  const ours: Contender = { name: "holdfast", operation: (turn) => users.getOrSet(keyFor(turn), missing) };
  const parsed = async (reply: Promise<unknown>): Promise<unknown> => JSON.parse(String(await reply));
  const peers: Contender[] = [
    {
      name: "node-redis tuned GET + JSON.parse",
      operation: (turn) => parsed(tuned.sendCommand(["GET", keyFor(turn)])),
    },
    { name: "ioredis auto-pipelined GET", operation: (turn) => auto.get(keyFor(turn)) },
    { name: "ioredis auto-pipelined GET + JSON.parse", operation: (turn) => parsed(auto.get(keyFor(turn))) },
    { name: "BentoCache", operation: (turn) => bento.getOrSet({ key: keyFor(turn), factory: missing }) },
  ];
  const cases = [1, 50, 500].flatMap((inFlight) =>
    peers.map((peer): Case => ({ name: `hit, ${inFlight} in flight, against ${peer.name}`, inFlight, ours, peer })),
  );
  const close = async (): Promise<void> => {
    await hf.close();
    await bento.disconnectAll();
    tuned.destroy();
    auto.disconnect();
  };
  return { cases, close };
};
