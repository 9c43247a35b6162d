import type { Placeholders } from "../grammar.ts";
import { momentPlaceholders } from "./moments.ts";

export const keyPlaceholders: Placeholders = {
  ...momentPlaceholders,
  pattern: (random) => random.pick(["*", "?*", "[a-s]*", "z", "h?", "\\*", "[^l]*", "", "*\xff*"]),
  type: (random) => random.pick(["string", "list", "set", "zset", "hash", "stream", "STRING", "none"]),
  // Each connection comes back to the first, where most keys are.
  db: (random) => random.pick(["0", "0", "0", "1", "2", random.chance(0.1) ? random.pick(["16", "-1", "x", ""]) : "0"]),
};

export const keySyntax: readonly string[] = [
  "(DEL|UNLINK|EXISTS|TOUCH) (key)+",
  "DEL key",
  "TYPE key",
  "KEYS pattern",
  "SCAN 0 [MATCH pattern] COUNT 10000 [TYPE type]",
  "DBSIZE",
  "(RENAME|RENAMENX) key key",
  "COPY key key [DB db] [REPLACE]",
  "MOVE key db",
  "SELECT db",
  "SELECT 0",
  "SWAPDB db db",
  "(EXPIRE key seconds|PEXPIRE key milliseconds|EXPIREAT key second|PEXPIREAT key millisecond) [NX|XX|GT|LT] [NX|XX|GT|LT]",
  "EXPIRE key seconds",
  "(TTL|PTTL|EXPIRETIME|PEXPIRETIME) key",
  "PERSIST key",
  "OBJECT (ENCODING|ENCODING|FREQ|X|HELP) key",
  "OBJECT HELP",
];

/** Everything away: seldom, or the databases would always be empty. */
export const flushSyntax: readonly string[] = ["FLUSHDB [ASYNC|SYNC|X]", "FLUSHALL [ASYNC|SYNC]", "SWAPDB 0 1"];
