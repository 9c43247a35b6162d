/**
 * What commands do with their keys, as COMMAND reports it. Where the keys are follows from the registry; what is done to them
 * is said here wherever it is not the usual: `RO access` for commands that read, `RW access update` for all others.
 */
import { type Command, is } from "../engine/command.ts";

/** Each of these flags or more for one group of keys: those before ` | ` for the first key, the others for the rest. */
const FLAGS: Readonly<Record<string, string>> = {
  RO: "exists hexists hlen hstrlen llen memory|usage object|encoding object|freq object|idletime object|refcount scard sismember strlen touch type watch xlen zcard",
  "RW access": "pfcount pfdebug",
  "RW access delete": "blmpop blpop brpop bzmpop bzpopmax bzpopmin getdel lmpop lpop rpop spop zmpop zpopmax zpopmin",
  "RW access update variable_flags": "bitfield set",
  "RW delete":
    "hdel lrem ltrim srem xautoclaim xdel xgroup|delconsumer xgroup|destroy xtrim zrem zremrangebylex zremrangebyrank zremrangebyscore",
  "RW insert": "append hsetnx linsert lpush lpushx pfadd rpush rpushx sadd xgroup|create xgroup|createconsumer",
  "RW update":
    "expire expireat geoadd hmset hset lset persist pexpire pexpireat setrange xack xadd xclaim xgroup|setid xsetid zadd",
  "RM delete": "del unlink",
  "OW insert": "msetnx setnx",
  "OW update": "mset psetex restore setex",
  "RO access": "xread xreadgroup",
  "RO access | OW update": "copy",
  "RO access | OW update | OW update": "georadius georadiusbymember",
  "RO access | RO access": "sort_ro",
  "RO access | RO access | OW update": "sort",
  "RW access delete | OW insert": "renamenx",
  "RW access delete | OW update": "rename",
  "RW access delete | RW insert": "blmove brpoplpush lmove rpoplpush smove",
  "RW access insert | RO access": "pfmerge",
  "RW update | RO access": "sinterstore",
  "OW update | RO access": "bitop geosearchstore sdiffstore sunionstore zdiffstore zinterstore zrangestore zunionstore",
  not_key: "spublish ssubscribe sunsubscribe",
};

const BY_NAME: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(FLAGS).flatMap(([flags, names]) =>
    names.split(" ").map((name) => [name, flags.split(" | ")] as const),
  ),
);

/** Where a group of keys is looked for: at a place, behind a word, or only the command itself can say. */
export type Beginning = number | readonly [keyword: string, startFrom: number] | "unknown";
/** How far it reaches: last key (relative to the first, or negative from the end), step, and the limit as Redis counts it. */
export type Reach = readonly [last: number, step: number, limit: number] | "counted" | "unknown";

export interface KeySpecification {
  readonly flags: readonly string[];
  readonly beginning: Beginning;
  readonly reach: Reach;
}

type Places = readonly (readonly [Beginning, Reach])[];

const ONE: Reach = [0, 1, 0];
const UNKNOWN: Places[number] = ["unknown", "unknown"];

/** Of commands whose keys are found by a function. */
const SEARCHED: Readonly<Record<string, Places>> = {
  georadius: [
    [1, ONE],
    [["STORE", 6], ONE],
    [["STOREDIST", 6], ONE],
  ],
  georadiusbymember: [
    [1, ONE],
    [["STORE", 5], ONE],
    [["STOREDIST", 5], ONE],
  ],
  sort: [[1, ONE], UNKNOWN, UNKNOWN],
  sort_ro: [[1, ONE], UNKNOWN],
  xread: [
    [
      ["STREAMS", 1],
      [-1, 1, 2],
    ],
  ],
  xreadgroup: [
    [
      ["STREAMS", 4],
      [-1, 1, 2],
    ],
  ],
};

export function keySpecificationsOf(command: Command): readonly KeySpecification[] {
  const flags = flagsOf(command);
  return placesOf(command, flags.length).map(([beginning, reach], at) => ({
    flags: (flags[at] ?? flags[0] ?? "").split(" "),
    beginning,
    reach,
  }));
}

/** Channels of shards lie where keys do, and are none. */
export function hasKeys(command: Command): boolean {
  return command.keys !== undefined && flagsOf(command)[0] !== "not_key";
}

/** What a command line does to the key which is the `at`th in it. */
export function keyFlags(command: Command, line: readonly string[], at: number): readonly string[] {
  const flags = flagsOf(command);
  const own = (at === 0 ? flags[0] : flags.at(-1)) ?? "";
  return (own.endsWith("variable_flags") ? flagsByOptions(command, line) : own).split(" ");
}

function flagsByOptions(command: Command, line: readonly string[]): string {
  const has = (option: string): boolean => line.slice(2).some((word) => is(word, option));
  if (command.name === "set") return has("GET") ? "RW access update" : "OW update";
  return has("SET") || has("INCRBY") ? "RW access update" : "RO access";
}

/** A script that does not say otherwise may write. */
function flagsOf({ fullName, isWrite, isRead, category }: Command): readonly string[] {
  const writes = isWrite || (category === "scripting" && !isRead);
  return BY_NAME.get(fullName) ?? [writes ? "RW access update" : "RO access"];
}

function placesOf({ fullName, keys }: Command, groups: number): Places {
  if (keys === undefined) return [];
  if (typeof keys === "function") return SEARCHED[fullName] ?? [];
  if ("count" in keys) return [...keys.before.map((place) => [place, ONE] as const), [keys.count, "counted"]];
  const [first, last, step] = keys;
  const relative = (from: number): Reach => [last < 0 ? last : last - from, step, 0];
  if (groups === 1) return [[first, relative(first)]];
  return [
    [first, ONE],
    [first + 1, relative(first + 1)],
  ];
}

/** First, last and step of the keys whose places do not depend on the arguments; zeros where there are none. */
export function fixedKeys(command: Command): readonly [first: number, last: number, step: number] {
  const { keys } = command;
  if (keys !== undefined && typeof keys !== "function" && !("count" in keys)) return keys;
  const [beginning, reach] = placesOf(command, 1)[0] ?? UNKNOWN;
  return typeof beginning === "number" && reach !== "counted" ? [beginning, beginning, 1] : [0, 0, 0];
}
