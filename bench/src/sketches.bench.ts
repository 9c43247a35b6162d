/**
 * Sketches against commands by hand, on tuned node-redis: a Bloom filter against a script of SETBITs and against a set; the most frequent of
 * very many words against a sorted set of all of them; marks of active users against a set for each day.
 */
import { connect } from "holdfast";
import { tunedNodeRedis } from "./clients.ts";
import { type Contender, sideBySide, type Suite } from "./suite.ts";

const BITS = 9_600_000;
const HASHES = 7;
const WORDS = 1_000_000;
const USERS = 100_000;
/** As Redisson does it. */
const SETBITS = `local isNew = 0
for at = 1, #ARGV do if redis.call('SETBIT', KEYS[1], ARGV[at], 1) == 0 then isNew = 1 end end
return isNew`;

export const sketchesSuite: Suite = {
  contenders: {
    "bloom.add": async ({ url }) => {
      const bloom = (await connect(url)).bloom("bench", { capacity: 1_000_000 });
      return (turn) => bloom.add(turn);
    },
    "SETBITs in Lua": async (target) => {
      const client = await tunedNodeRedis(target);
      const sha: string = await client.scriptLoad(SETBITS);
      return (turn) => client.sendCommand(["EVALSHA", sha, "1", "bits", ...bitsOf(turn)]);
    },
    "SADD by hand": byHand((turn) => ["SADD", "set", `member:${turn}`]),
    "topk.add": async ({ url }) => {
      const topk = (await connect(url)).topk("bench", { window: "1h" });
      return (turn) => topk.add(wordOf(turn));
    },
    "ZINCRBY by hand": byHand((turn) => ["ZINCRBY", "words", "1", wordOf(turn)]),
    "actives.mark": async ({ url }) => {
      const actives = (await connect(url)).actives("bench");
      return (turn) => actives.mark((turn * 7_919) % USERS);
    },
    "SADD of a day": byHand((turn) => ["SADD", "day", `user:${(turn * 7_919) % USERS}`]),
  },
  cases: [
    ...sideBySide("add", [50, 500], ["bloom.add"], ["SETBITs in Lua", "SADD by hand"]),
    ...sideBySide("add", [50, 500], ["topk.add"], ["ZINCRBY by hand"]),
    ...sideBySide("mark", [50, 500], ["actives.mark"], ["SADD of a day"]),
  ],
};

function byHand(commandOf: (turn: number) => string[]): Contender {
  return async (target) => {
    const client = await tunedNodeRedis(target);
    return (turn) => client.sendCommand(commandOf(turn));
  };
}

/** Evenly distributed, from 0 to 1. */
function mixed(turn: number, salt: number): number {
  const word = Math.imul(turn ^ Math.imul(salt, 0x9e3779b9), 0x85ebca6b);
  return (Math.imul(word ^ (word >>> 13), 0xc2b2ae35) >>> 0) / 2 ** 32;
}

function bitsOf(turn: number): string[] {
  return Array.from({ length: HASHES }, (_, salt) => String(Math.floor(mixed(turn, salt + 1) * BITS)));
}

/** By Zipf's law: the n-th comes a n-th as often as the first. */
function wordOf(turn: number): string {
  return `word:${Math.floor(WORDS ** mixed(turn, 0))}`;
}
