import type { Placeholders } from "../grammar.ts";
import { sorted } from "../unordered.ts";

const INTEGERS = ["1", "2", "3", "10", "-5", "-10", "9223372036854775807", "-9223372036854775808"];

/** Integers alone make intsets, which have an order. */
export const setPlaceholders: Placeholders = {
  member: (random) =>
    random.pick(random.chance(0.8) ? INTEGERS : ["a", "b", "", "01", "1.0", "\xff", "9223372036854775808"]),
  number: (random) => random.pick(["0", "1", "2", "3", "-1", "x", "1000"]),
};

export const integerPlaceholders: Placeholders = { ...setPlaceholders, member: (random) => random.pick(INTEGERS) };

export const setSyntax: readonly string[] = [
  "SADD key (member)+",
  "SADD key (member)+",
  "SADD key (member)+ (member)+",
  "SREM key (member)+",
  "SMOVE key key member",
  "SCARD key",
  "SISMEMBER key member",
  "SMISMEMBER key (member)+",
  "SMEMBERS key",
  "SPOP key (0|1000|-1)",
  "SRANDMEMBER key (0|1000)",
  "SSCAN key 0 COUNT 1000 [MATCH member]",
  "SINTER (key)+",
  "SUNION (key)+",
  "SDIFF (key)+",
  "SDIFF key (key)+ (key)+",
  "(SINTERSTORE|SUNIONSTORE|SDIFFSTORE) key (key)+",
  "SINTERCARD number (key)+ [LIMIT number]",
  "SORT key ALPHA",
  "OBJECT ENCODING key",
  "COPY key key [REPLACE]",
  "DEL key",
];

export function withoutMemberOrder(reply: string, [name = ""]: readonly string[]): string {
  return name === "SMISMEMBER" || name === "SORT" ? reply : sorted(reply);
}
