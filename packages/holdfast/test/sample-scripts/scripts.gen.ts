// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../../src/driver/port.ts";
import { UnexpectedReplyError, decodeBigint, decodeBool, decodeBytes, decodeFloat, decodeInt, decodeJson, decodeList, decodeMap, decodeOptional, decodeRows, decodeText, decodeUnion, expectFields } from "../../src/core/script/decode.ts";
import { encodeBigint, encodeBool, encodeFloat, encodeInt, encodeJson } from "../../src/core/script/encode.ts";
import type { BatchScript, None, Script } from "../../src/core/script/script.ts";

const NOW = `local clockMicros
local function nowMicros()
  if not clockMicros then
    local clock = redis.call('TIME')
    clockMicros = clock[1] * 1000000 + clock[2]
  end
  return clockMicros
end
local function now()
  return math.floor(nowMicros() / 1000)
end
`;

export interface EchoKeys {
  readonly anything: Arg;
}

export interface EchoArgs {
  /** any bytes */
  readonly raw: Arg;
  readonly name: string;
  readonly whole: number;
  readonly real: number;
  readonly flag: boolean;
  readonly document: unknown;
  readonly huge: bigint;
  readonly rest: readonly number[];
}

export type EchoResult =
  | { readonly status: "same"; readonly raw: Buffer; readonly name: string; readonly whole: number; readonly real: number; readonly flag: boolean; readonly document: unknown; readonly huge: bigint; readonly rest: number[]; readonly absent: string | null };

/** Returns each argument as Lua saw it, so that a test can compare what went in with what comes out. */
export const echo: Script<EchoKeys, EchoArgs, EchoResult> = {
  class: "read",
  name: "sample-scripts.echo",
  sha1: "4d1b134efa2dab13d0608d66de256302d59efe60",
  lua: `-- sample-scripts.echo
local anything = KEYS[1]
local raw, name, whole, real, flag, document, huge = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1', cjson.decode(ARGV[6]), ARGV[7]
local rest = {}
for i = 8, #ARGV do rest[i - 7] = tonumber(ARGV[i]) end
return {
  'same', raw, name, whole, string.format('%.17g', real), flag, cjson.encode(document), huge, rest,
}
`,
  encodeKeys(keys, out) {
    out.push(keys.anything);
  },
  encodeArgs(args, out) {
    out.push(args.raw, args.name, encodeInt("whole", args.whole), encodeFloat("real", args.real), encodeBool(args.flag), encodeJson("document", args.document), encodeBigint(args.huge));
    for (const each of args.rest) out.push(encodeInt("rest", each));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "same":
        expectFields(fields, 9);
        return { status: "same", raw: decodeBytes(fields[1]), name: decodeText(fields[2]), whole: decodeInt(fields[3]), real: decodeFloat(fields[4]), flag: decodeBool(fields[5]), document: decodeJson(fields[6]), huge: decodeBigint(fields[7]), rest: decodeList(fields[8], decodeInt), absent: decodeOptional(fields[9], decodeText) };
      default:
        throw new UnexpectedReplyError("one of same", reply);
    }
  },
};

export interface FirstOfKeys {
  readonly board: Arg;
}

export type FirstOfArgs = None;

export type FirstOfResult = string | null;

/** The first member of a set of scores, if there is one: a batchable script whose reply may be nil. */
export const firstOf: BatchScript<FirstOfKeys, FirstOfArgs, FirstOfResult> = {
  class: "read",
  name: "sample-scripts.firstOf",
  sha1: "11750b60f550b812f50ad51d1beb16c7c7661c7c",
  lua: `-- sample-scripts.firstOf
local board = KEYS[1]
return redis.call('ZRANGE', board, 0, 0)[1]
`,
  encodeKeys(keys, out) {
    out.push(keys.board);
  },
  encodeArgs() {},
  decode(reply) {
    return decodeOptional(reply, decodeText);
  },
  merged: {
    name: "sample-scripts.firstOf (merged)",
    sha1: "7e00225f971d2f43dfd5d62f7b814197f328974e",
    lua: `-- sample-scripts.firstOf
local function run(keyAt, argAt)
  local board = KEYS[keyAt + 1]
  return redis.call('ZRANGE', board, 0, 0)[1]
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 0 and 0 or 0
for keyAt = 0, #KEYS - 1, 1 do
  local ok, reply = pcall(run, keyAt, argAt)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  if reply == nil then reply = false end
  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply
  size, argAt = size + 2, argAt + step
end
return outcomes
`,
  },
};

export interface MisdeclaredKeys {
  readonly anything: Arg;
}

export interface MisdeclaredArgs {
  readonly reply: string;
}

export type MisdeclaredResult =
  | { readonly status: "number"; readonly value: number };

/** Its header is wrong on purpose: what the header does not allow must come out as an error. */
export const misdeclared: BatchScript<MisdeclaredKeys, MisdeclaredArgs, MisdeclaredResult> = {
  class: "read",
  name: "sample-scripts.misdeclared",
  sha1: "1a7ad9d8687a965aa1e833659a82f7169993b0ca",
  lua: `-- sample-scripts.misdeclared
local anything = KEYS[1]
local reply = ARGV[1]
if reply == 'status' then return {'surprise'} end
if reply == 'type' then return {'number', 'twelve'} end
if reply == 'missing' then return {'number'} end
if reply == 'extra' then return {'number', 12, 13} end
return {'number', 12}
`,
  encodeKeys(keys, out) {
    out.push(keys.anything);
  },
  encodeArgs(args, out) {
    out.push(args.reply);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "number":
        expectFields(fields, 1);
        return { status: "number", value: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of number", reply);
    }
  },
  merged: {
    name: "sample-scripts.misdeclared (merged)",
    sha1: "8299b1916a0d03738ef243c362a97fccf338c4fd",
    lua: `-- sample-scripts.misdeclared
local function run(keyAt, argAt)
  local anything = KEYS[keyAt + 1]
  local reply = ARGV[argAt + 1]
  if reply == 'status' then return {'surprise'} end
  if reply == 'type' then return {'number', 'twelve'} end
  if reply == 'missing' then return {'number'} end
  if reply == 'extra' then return {'number', 12, 13} end
  return {'number', 12}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 1 and 1 or 0
for keyAt = 0, #KEYS - 1, 1 do
  local ok, reply = pcall(run, keyAt, argAt)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  if reply == nil then reply = false end
  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply
  size, argAt = size + 2, argAt + step
end
return outcomes
`,
  },
};

export interface PeekKeys {
  readonly names: readonly Arg[];
}

export type PeekArgs = None;

export type PeekResult = (Buffer | null)[];

/** The values of many keys. */
export const peek: Script<PeekKeys, PeekArgs, PeekResult> = {
  class: "read",
  name: "sample-scripts.peek",
  sha1: "cfac0efafeb71fa21030f8a862a77c376ea36c7f",
  lua: `-- sample-scripts.peek
local names = KEYS
return redis.call('MGET', unpack(names))
`,
  encodeKeys(keys, out) {
    for (const each of keys.names) out.push(each);
  },
  encodeArgs() {},
  decode(reply) {
    return decodeList(reply, (part) => decodeOptional(part, decodeBytes));
  },
};

export interface ShapesKeys {
  readonly hash: Arg;
  readonly board: Arg;
}

export interface ShapesArgs {
  readonly ttlMs: number;
  readonly pairs: readonly Arg[];
}

export type ShapesResult =
  | { readonly status: "shapes"; readonly fields: Map<string, number>; readonly ranking: { readonly member: string; readonly score: number }[]; readonly nested: (number | null)[][]; readonly nothing: boolean }
  | { readonly status: "empty" };

/** Writes a hash and a sorted set, and returns them as they come. */
export const shapes: Script<ShapesKeys, ShapesArgs, ShapesResult> = {
  class: "idempotent",
  name: "sample-scripts.shapes",
  sha1: "30f5f4dcb144f88231ced7aa4699bd2814c0f217",
  lua: `-- sample-scripts.shapes
local hash, board = KEYS[1], KEYS[2]
local ttlMs = tonumber(ARGV[1])
local pairs = {}
for i = 2, #ARGV do pairs[i - 1] = ARGV[i] end
if #pairs == 0 then return 'empty' end
redis.call('HSET', hash, unpack(pairs))
for i = 1, #pairs, 2 do redis.call('ZADD', board, pairs[i + 1], pairs[i]) end
redis.call('PEXPIRE', hash, ttlMs)
redis.call('PEXPIRE', board, ttlMs)
local ranking = redis.call('ZRANGE', board, 0, -1, 'WITHSCORES')
return {'shapes', redis.call('HGETALL', hash), ranking, {{1, false, 3}, {}}, false}
`,
  encodeKeys(keys, out) {
    out.push(keys.hash, keys.board);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("ttlMs", args.ttlMs));
    for (const each of args.pairs) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "shapes":
        expectFields(fields, 4);
        return { status: "shapes", fields: decodeMap(fields[1], decodeInt), ranking: decodeRows(fields[2], 2, (flat, at) => ({ member: decodeText(flat[at]), score: decodeFloat(flat[at + 1]) })), nested: decodeList(fields[3], (part) => decodeList(part, (part) => decodeOptional(part, decodeInt))), nothing: decodeBool(fields[4]) };
      case "empty":
        expectFields(fields, 0);
        return { status: "empty" };
      default:
        throw new UnexpectedReplyError("one of shapes, empty", reply);
    }
  },
};

export interface TakeKeys {
  readonly stock: Arg;
}

export interface TakeArgs {
  readonly amount: number;
  readonly ttlMs: number;
}

export type TakeResult =
  | { readonly status: "taken"; readonly left: number; readonly at: number }
  | { readonly status: "short"; readonly left: number };

/** Takes from a stock unless that would leave less than nothing. */
export const take: BatchScript<TakeKeys, TakeArgs, TakeResult> = {
  class: "unsafe",
  name: "sample-scripts.take",
  sha1: "c9590a7a463e89cc7e7cd373f00d068f7fab16f2",
  lua: `-- sample-scripts.take
${NOW}local stock = KEYS[1]
local amount, ttlMs = tonumber(ARGV[1]), tonumber(ARGV[2])
local left = tonumber(redis.call('GET', stock) or '0')
if left < amount then
  return {'short', left}
end
redis.call('SET', stock, left - amount, 'PX', ttlMs)
return {'taken', left - amount, now()}
`,
  encodeKeys(keys, out) {
    out.push(keys.stock);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("amount", args.amount), encodeInt("ttlMs", args.ttlMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "taken":
        expectFields(fields, 2);
        return { status: "taken", left: decodeInt(fields[1]), at: decodeInt(fields[2]) };
      case "short":
        expectFields(fields, 1);
        return { status: "short", left: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of taken, short", reply);
    }
  },
  merged: {
    name: "sample-scripts.take (merged)",
    sha1: "2adea74c1ff514eb452c30a22e519a2b402f23c3",
    lua: `-- sample-scripts.take
${NOW}local function run(keyAt, argAt)
  local stock = KEYS[keyAt + 1]
  local amount, ttlMs = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2])
  local left = tonumber(redis.call('GET', stock) or '0')
  if left < amount then
    return {'short', left}
  end
  redis.call('SET', stock, left - amount, 'PX', ttlMs)
  return {'taken', left - amount, now()}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 2 and 2 or 0
for keyAt = 0, #KEYS - 1, 1 do
  local ok, reply = pcall(run, keyAt, argAt)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  if reply == nil then reply = false end
  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply
  size, argAt = size + 2, argAt + step
end
return outcomes
`,
  },
};
