import type { Placeholders } from "../grammar.ts";
import { sorted } from "../unordered.ts";

const NUMBERS = [
  "1",
  "-1",
  "7",
  "9223372036854775807",
  "-9223372036854775808",
  "1.5",
  "1e3",
  "x",
  "0.1",
  "-0.00017",
  "inf",
];

/** Few fields, so that they meet. */
export const hashPlaceholders: Placeholders = {
  field: (random) => random.pick(["f", "g", "h", "1", "-7", "\xff", ""]),
  number: (random) => random.pick(NUMBERS),
  value: (random) => random.pick([...NUMBERS, "", "text", "\x00\r\n"]),
  // At the limit where a hash becomes a hash table, whose fields have no order.
  long: (random) => "x".repeat(random.integer(60, 70)),
};

export const hashSyntax: readonly string[] = [
  "HSET key (field value)+",
  "HSET key (field value)+",
  "HMSET key (field value)+ [field]",
  "HSETNX key field value",
  "HSETNX key long value",
  "HSET key field long",
  "HGET key field",
  "HMGET key (field)+",
  "HDEL key (field)+",
  "HDEL key field (field)+ (field)+",
  "HGETALL key",
  "HKEYS key",
  "HVALS key",
  "HLEN key",
  "HSTRLEN key field",
  "HEXISTS key field",
  "HINCRBY key field number",
  "HINCRBYFLOAT key field number",
  "HRANDFIELD key 0|100 [WITHVALUES]",
  "HSCAN key 0 COUNT 1000 [MATCH field]",
  "OBJECT ENCODING key",
  "COPY key key [REPLACE]",
  "RENAME key key",
  "DEL key",
];

export function withoutFieldOrder(reply: string, [name = "", , , option]: readonly string[]): string {
  if (name === "HGETALL" || name === "HSCAN") return sorted(reply, 2);
  if (name === "HRANDFIELD") return sorted(reply, option === undefined ? 1 : 2);
  return name === "HKEYS" || name === "HVALS" ? sorted(reply) : reply;
}
