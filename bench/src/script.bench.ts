/** One small script per call, not merged, against EVALSHA of the bare clients. */
import { createHash } from "node:crypto";
import { connect } from "holdfast";
import { ioredis, storeUsers, tunedNodeRedis } from "./clients.ts";
import { keyFor } from "./samples.ts";
import { sideBySide, type Suite, type Target } from "./suite.ts";

const LUA = "return redis.call('GET', KEYS[1])";
const SHA1 = createHash("sha1").update(LUA).digest("hex");

const PEERS: Suite["contenders"] = {
  "ioredis evalsha": async (target) => {
    await storeScript(target);
    const client = ioredis(target);
    return (turn) => client.evalsha(SHA1, 1, keyFor(turn));
  },
  "ioredis auto-pipelined evalsha": async (target) => {
    await storeScript(target);
    const client = ioredis(target, true);
    return (turn) => client.evalsha(SHA1, 1, keyFor(turn));
  },
  "node-redis tuned EVALSHA": async (target) => {
    await storeScript(target);
    const client = await tunedNodeRedis(target);
    return (turn) => client.sendCommand(["EVALSHA", SHA1, "1", keyFor(turn)]);
  },
};

export const scriptSuite: Suite = {
  contenders: {
    ...PEERS,
    holdfast: async (target) => {
      await storeScript(target);
      const { driver } = await connect(target.url);
      const source = { name: "bench.get", lua: LUA, sha1: SHA1 };
      const call = { op: "bench.script", class: "read" } as const;
      return (turn) => driver.script(source, [keyFor(turn)], [], call);
    },
  },
  cases: sideBySide("script", [50, 500], ["holdfast"], Object.keys(PEERS)),
};

async function storeScript(target: Target): Promise<void> {
  await storeUsers(target);
  const client = await tunedNodeRedis(target);
  await client.sendCommand(["SCRIPT", "LOAD", LUA]);
  client.destroy();
}
