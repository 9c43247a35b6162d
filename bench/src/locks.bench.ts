/**
 * Acquire and release against redlock, and against what is written by hand, on one server: when nobody else wants the lock, and when
 * everybody wants one.
 */
import { randomUUID } from "node:crypto";
import { connect } from "holdfast";
import Redlock from "redlock";
import { ioredis, tunedNodeRedis } from "./clients.ts";
import { keyFor } from "./samples.ts";
import { sideBySide, type Contender, type Suite } from "./suite.ts";

type NameOf = (turn: number) => string;

const TTL_MS = 10_000;

/** redlock's names are its keys: they must not be those of other suites' values. */
const manyNames: NameOf = (turn) => `lock:${keyFor(turn)}`;
const oneName: NameOf = () => "wanted";

export const locksSuite: Suite = {
  contenders: {
    "holdfast (free)": ours(manyNames),
    "redlock (free)": redlock(manyNames),
    "node-redis tuned SET NX + Lua (free)": byHand(manyNames),
    "holdfast (wanted)": ours(oneName),
    "redlock (wanted)": redlock(oneName),
  },
  cases: [
    ...sideBySide(
      "1000 names",
      [1, 50, 500],
      ["holdfast (free)"],
      ["redlock (free)", "node-redis tuned SET NX + Lua (free)"],
    ),
    ...sideBySide("one name", [10], ["holdfast (wanted)"], ["redlock (wanted)"]),
  ],
};

function ours(nameOf: NameOf): Contender {
  return async ({ url }) => {
    const hf = await connect(url);
    return async (turn) => {
      const lock = await hf.lock(nameOf(turn), { ttl: TTL_MS }).acquire();
      await lock.release();
    };
  };
}

/** As it comes, except for the number of retries: it gives up after ten, where ours waits. */
function redlock(nameOf: NameOf): Contender {
  return async (target) => {
    const locks = new Redlock([ioredis(target)], { retryCount: -1 });
    return async (turn) => {
      const lock = await locks.acquire([nameOf(turn)], TTL_MS);
      await lock.release();
    };
  };
}

const RELEASE = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0`;

/** The lock that everybody writes: no fence, no renewal, nobody waits. */
function byHand(nameOf: NameOf): Contender {
  return async (target) => {
    const client = await tunedNodeRedis(target);
    const sha = await client.scriptLoad(RELEASE);
    return async (turn) => {
      const [name, token] = [nameOf(turn), randomUUID()];
      const set = await client.sendCommand(["SET", name, token, "NX", "PX", String(TTL_MS)]);
      if (set === null) throw new Error(`${name} is held`);
      await client.sendCommand(["EVALSHA", sha, "1", name, token]);
    };
  };
}
