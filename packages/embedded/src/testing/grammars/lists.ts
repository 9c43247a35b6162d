import type { Placeholders } from "../grammar.ts";

const NO_INTEGERS = ["x", "1.5", " 1", "", "-0", "9223372036854775808"];
const LARGE = ["9223372036854775807", "-9223372036854775808"];

/** Few elements, so that they meet. Waiting ends at once: nobody pushes meanwhile. */
export const listPlaceholders: Placeholders = {
  item: (random) => random.pick(["x", "y", "z", "1", "22", "", "\xff\x00", "long".repeat(30)]),
  integer: (random) => (random.chance(0.05) ? random.pick([...NO_INTEGERS, ...LARGE]) : `${random.integer(-6, 8)}`),
  // Without the lowest integer, whose negation overflows in Redis.
  rank: (random) => `${random.integer(-3, 3)}`,
  end: (random) => (random.chance(0.03) ? "UP" : random.pick(["LEFT", "RIGHT", "left"])),
  timeout: (random) => (random.chance(0.2) ? random.pick(["-1", "x", "1e400", "1e30", "nan", " 1"]) : "0.001"),
};

export const listSyntax: readonly string[] = [
  ...Array.from({ length: 3 }, () => "(LPUSH|RPUSH) key (item)+ [item item]"),
  "(LPUSHX|RPUSHX) key (item)+",
  "(LPOP|RPOP) key [integer]",
  "(LPOP|RPOP) key integer integer",
  "LLEN key",
  "LINDEX key integer",
  "LRANGE key integer integer",
  "LRANGE key 0 -1",
  "LSET key integer item",
  "LINSERT key (BEFORE|AFTER|item) item item",
  "LREM key integer item",
  "LTRIM key integer integer",
  "LPOS key item [RANK rank] [COUNT integer] [MAXLEN integer] [item]",
  "LMOVE key key end end",
  "RPOPLPUSH key key",
  "LMPOP integer key key end [COUNT integer]",
  "LMPOP 2 key key end [COUNT integer] [COUNT integer]",
  "BLPOP key key timeout",
  "BRPOP key timeout",
  "BLMOVE key key end end timeout",
  "BRPOPLPUSH key key timeout",
  "BLMPOP timeout 2 key key end [COUNT integer]",
  "OBJECT ENCODING key",
  "SORT key ALPHA",
  "COPY key key [REPLACE]",
  "RENAME key key",
  "DEL key",
];
