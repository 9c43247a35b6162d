import type { Placeholders } from "../grammar.ts";
import type { SeededRandom } from "../../base/random.ts";
import { sorted } from "../unordered.ts";

const MEMBERS = ["m", "n", "o", "p", "q", "1", "22", "-5", "", "\xff\x00", "mm", "mn", "zz", "01", "long".repeat(20)];
const SCORES = ["1", "2", "3", "-1", "0", "-0", "1.5", "0.1", "0.2", "0.3", "inf", "-inf", "+inf", "1e-5", "0.0001"];
/** Where printing a double is difficult, or a listpack keeps an integer. */
const WIDE = [
  "1e17",
  "99999999999999984",
  "9007199254740993",
  "4611686018427387904",
  "5e18",
  "-1e300",
  "4.9e-324",
  "0x10",
];
const NO_SCORES = ["x", "nan", "", "1e400", "1e-400", "-1e400", " 1", "(1", "1e", "0x0p5"];
const NO_INTEGERS = ["x", "1.5", " 1", "", "9223372036854775808", "9223372036854775807", "-9223372036854775808"];

function score(random: SeededRandom): string {
  if (random.chance(0.02)) return random.pick(NO_SCORES);
  if (random.chance(0.3)) return `${random.integer(-1000, 1000) / 7}`;
  return random.pick(random.chance(0.7) ? SCORES : WIDE);
}

function bound(random: SeededRandom): string {
  return random.chance(0.3) ? `(${score(random)}` : random.pick(["-inf", "+inf", score(random), score(random)]);
}

/** The number of keys, and as many keys. Weights must know it too. */
function keys(random: SeededRandom, key: Key): string[] {
  return Array.from({ length: random.integer(1, 3) }, () => key(random));
}

type Key = (random: SeededRandom) => string;

/** `key` names a sorted set or something else, `level` one whose scores are all equal. */
export function sortedSetPlaceholders(key: Key): Placeholders {
  return {
    key,
    level: (random) => random.pick(["level1", "level2"]),
    member: (random) => random.pick(MEMBERS),
    score,
    bound,
    lex: (random) => {
      const member = random.pick(MEMBERS);
      return random.pick(["-", "+", `[${member}`, `(${member}`, random.chance(0.1) ? member : "-"]);
    },
    integer: (random) => (random.chance(0.03) ? random.pick(NO_INTEGERS) : `${random.integer(-6, 8)}`),
    counted: (random) => {
      const chosen = keys(random, key);
      return [random.chance(0.05) ? `${random.integer(-1, 4)}` : `${chosen.length}`, ...chosen];
    },
    weighted: (random) => {
      const chosen = keys(random, key);
      const weights = chosen.map(() =>
        random.pick(["1", "2", "-1", "0", "inf", "-inf", "0.5", random.chance(0.1) ? "x" : "3"]),
      );
      return [`${chosen.length}`, ...chosen, "WEIGHTS", ...weights];
    },
    aggregate: (random) => ["AGGREGATE", random.pick(["SUM", "MIN", "max", random.chance(0.1) ? "avg" : "sum"])],
    timeout: (random) => (random.chance(0.2) ? random.pick(["-1", "x", "1e30"]) : "0.001"),
    end: (random) => (random.chance(0.03) ? "x" : random.pick(["MIN", "MAX", "min"])),
  };
}

export const sortedSetSyntax: readonly string[] = [
  ...Array.from({ length: 4 }, () => "ZADD key (score member)+ [score member score member]"),
  "ZADD key [NX] [XX] [GT] [LT] [CH] [INCR] (score member)+",
  "ZADD key INCR [NX|XX] [GT|LT] score member",
  "ZADD level 0 member 0 member",
  "ZADD level 0 member 0 member",
  "ZINCRBY key score member",
  "ZREM key (member)+",
  "ZREM level member",
  "(ZSCORE|ZRANK|ZREVRANK) key member",
  "ZMSCORE key (member)+",
  "ZCARD key",
  "ZCOUNT key bound bound",
  "ZLEXCOUNT level lex lex",
  "ZRANGE key 0 -1 WITHSCORES",
  "ZRANGE key integer integer [REV] [WITHSCORES] [LIMIT integer integer] [BYSCORE|BYLEX]",
  "ZRANGE key bound bound BYSCORE [REV] [WITHSCORES] [LIMIT integer integer]",
  "ZRANGE level lex lex BYLEX [REV] [LIMIT integer integer]",
  "ZREVRANGE key integer integer [WITHSCORES]",
  "(ZRANGEBYSCORE|ZREVRANGEBYSCORE) key bound bound [WITHSCORES] [LIMIT integer integer]",
  "(ZRANGEBYLEX|ZREVRANGEBYLEX) level lex lex [LIMIT integer integer]",
  "ZRANGESTORE key key bound bound BYSCORE [REV] [LIMIT integer integer]",
  "ZRANGESTORE key key integer integer [REV]",
  "ZREMRANGEBYRANK key integer integer",
  "ZREMRANGEBYSCORE key bound bound",
  "ZREMRANGEBYLEX level lex lex",
  "(ZPOPMIN|ZPOPMAX) key [integer]",
  "ZMPOP counted end [COUNT integer]",
  "(BZPOPMIN|BZPOPMAX) key key timeout",
  "BZMPOP timeout counted end [COUNT integer]",
  "(ZUNION|ZINTER) (counted|weighted) [aggregate] [WITHSCORES]",
  "(ZUNIONSTORE|ZINTERSTORE) key (counted|weighted) [aggregate]",
  "ZDIFF counted [WITHSCORES]",
  "ZDIFFSTORE key counted",
  "ZINTERCARD counted [LIMIT integer]",
  "ZRANDMEMBER key (0|100|-9223372036854775808) [WITHSCORES]",
  "ZSCAN key 0 [MATCH (m*|?|*)] COUNT 5000",
  "OBJECT ENCODING key",
  "CONFIG SET zset-max-listpack-entries (128|10)",
  "COPY key key [REPLACE]",
  "RENAME key key",
  "DEL key",
];

/** Only a large set is scanned in no order. */
export function withoutScanOrder(reply: string, [name = ""]: readonly string[]): string {
  return name === "ZSCAN" ? sorted(reply.replace("*2\r\n$1\r\n0\r\n", ""), 2) : reply;
}
