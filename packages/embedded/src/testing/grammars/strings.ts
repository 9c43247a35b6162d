import type { Placeholders } from "../grammar.ts";
import type { SeededRandom } from "../../base/random.ts";
import { momentPlaceholders } from "./moments.ts";

const INTEGERS = ["1", "-1", "7", "9223372036854775807", "-9223372036854775808", "9007199254740993"];
const NO_INTEGERS = ["1.5", "1e3", "x", "0.1", "-0.00017", "inf", "nan", "-0", "1e400", "0x10", " 1", ""];

function number(random: SeededRandom): string {
  if (random.chance(0.6)) return `${random.integer(-20, 20)}`;
  return random.pick(random.chance(0.5) ? INTEGERS : NO_INTEGERS);
}

export const stringPlaceholders: Placeholders = {
  ...momentPlaceholders,
  number,
  value: (random) =>
    random.chance(0.4)
      ? number(random)
      : random.pick(["text", "", "\x00\r\n\xff", "ohmytext", "mytext", "x".repeat(50)]),
  // Beyond 512 MB neither server allocates anything.
  offset: (random) => `${random.chance(0.05) ? random.pick([-1, "x", 536870912]) : random.integer(0, 60)}`,
  index: (random) => `${random.chance(0.05) ? random.pick(["x", "9223372036854775807"]) : random.integer(-12, 12)}`,
  length: (random) => `${random.integer(-1, 6)}`,
};

export const stringSyntax: readonly string[] = [
  "SET key value [NX|XX] [GET] [KEEPTTL|EX seconds|PX milliseconds|EXAT latersecond|PXAT latermillisecond]",
  "SET key value",
  "SET key number",
  "GET key",
  "GETSET key value",
  "GETDEL key",
  "GETEX key [PERSIST|EX seconds|PX milliseconds|EXAT second|PXAT millisecond]",
  "SETNX key value",
  "SETEX key seconds value",
  "PSETEX key milliseconds value",
  "APPEND key value",
  "STRLEN key",
  "(GETRANGE|SUBSTR) key index index",
  "SETRANGE key offset value",
  "(INCR|DECR) key",
  "(INCRBY|DECRBY|INCRBYFLOAT) key number",
  "MGET (key)+",
  "(MSET|MSETNX) (key value)+",
  "LCS key key [LEN|IDX] [MINMATCHLEN length] [WITHMATCHLEN]",
];
