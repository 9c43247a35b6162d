/** One GET of 200 bytes through the driver, deadlines and retries included, against the bare clients. */
import { connect } from "holdfast";
import { defaultNodeRedis, ioredis, storeUsers, tunedNodeRedis } from "./clients.ts";
import { keyFor } from "./samples.ts";
import { sideBySide, type Suite } from "./suite.ts";

const PEERS: Suite["contenders"] = {
  "node-redis tuned": async (target) => {
    await storeUsers(target);
    const client = await tunedNodeRedis(target);
    return (turn) => client.sendCommand(["GET", keyFor(turn)]);
  },
  "node-redis": async (target) => {
    await storeUsers(target);
    const client = await defaultNodeRedis(target);
    return (turn) => client.sendCommand(["GET", keyFor(turn)]);
  },
  ioredis: async (target) => {
    await storeUsers(target);
    const client = ioredis(target);
    return (turn) => client.get(keyFor(turn));
  },
  "ioredis auto-pipelining": async (target) => {
    await storeUsers(target);
    const client = ioredis(target, true);
    return (turn) => client.get(keyFor(turn));
  },
};

export const driverSuite: Suite = {
  contenders: {
    ...PEERS,
    holdfast: async (target) => {
      await storeUsers(target);
      const { driver } = await connect(target.url);
      const call = { op: "bench.get", class: "read" } as const;
      return (turn) => {
        const key = keyFor(turn);
        return driver.send(["GET", key], call, key);
      };
    },
  },
  cases: sideBySide("GET", [50, 500], ["holdfast"], Object.keys(PEERS)),
};
