// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeInt, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeInt } from "../core/script/encode.ts";
import type { BatchScript } from "../core/script/script.ts";

const ADD = `local MAX_VALUE = 9007199254740991
local function valueOf(stored)
  local value = tonumber(stored)
  if not value or value % 1 ~= 0 then error({err = 'WRONGTYPE the key holds no whole number'}) end
  if math.abs(value) > MAX_VALUE then error({err = 'ERR the counter is beyond 2^53 - 1'}) end
  return value
end
local function replyOf(value)
  if math.abs(value) < MAX_VALUE - 64 then return value end
  return string.format('%.0f', value)
end
local function add(counter, by, min, max, ttlMs, renew)
  local stored = redis.call('GET', counter)
  local value = stored and valueOf(stored) or 0
  local sum = value + by
  if sum < min or sum > max then return {'limit', replyOf(value)} end
  if stored and not renew then redis.call('INCRBY', counter, by)
  else redis.call('SET', counter, sum, 'PX', ttlMs) end
  return {'ok', replyOf(sum)}
end
`;

export interface IncrementOnceKeys {
  readonly counter: Arg;
  readonly receipt: Arg;
}

export interface IncrementOnceArgs {
  readonly by: number;
  readonly min: number;
  readonly max: number;
  readonly ttlMs: number;
  readonly renew: boolean;
  readonly receiptTtlMs: number;
}

export type IncrementOnceResult =
  | { readonly status: "ok"; readonly value: number }
  | { readonly status: "limit"; readonly value: number };

/**
 * Adds to a counter unless `receipt` shows that it was done; then returns what the first time returned.
 * A refusal leaves no receipt: it changed nothing, so a repeat is decided again.
 */
export const incrementOnce: BatchScript<IncrementOnceKeys, IncrementOnceArgs, IncrementOnceResult> = {
  class: "dedupable",
  name: "counter.incrementOnce",
  sha1: "c3079f5c02f30c03e00797ffab8b1a322a93db0d",
  lua: `-- counter.incrementOnce
${ADD}local counter, receipt = KEYS[1], KEYS[2]
local by, min, max, ttlMs, renew, receiptTtlMs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1', tonumber(ARGV[6])
local before = redis.call('GET', receipt)
if before then return {'ok', before} end
local result = add(counter, by, min, max, ttlMs, renew)
if result[1] == 'ok' then redis.call('SET', receipt, result[2], 'PX', receiptTtlMs) end
return result
`,
  encodeKeys(keys, out) {
    out.push(keys.counter, keys.receipt);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("by", args.by), encodeInt("min", args.min), encodeInt("max", args.max), encodeInt("ttlMs", args.ttlMs), encodeBool(args.renew), encodeInt("receiptTtlMs", args.receiptTtlMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", value: decodeInt(fields[1]) };
      case "limit":
        expectFields(fields, 1);
        return { status: "limit", value: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, limit", reply);
    }
  },
  merged: {
    name: "counter.incrementOnce (merged)",
    sha1: "88b6fca23f4782e9ee94042d2c36210669390dbb",
    lua: `-- counter.incrementOnce
${ADD}local function run(keyAt, argAt)
  local counter, receipt = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local by, min, max, ttlMs, renew, receiptTtlMs = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), ARGV[argAt + 5] == '1', tonumber(ARGV[argAt + 6])
  local before = redis.call('GET', receipt)
  if before then return {'ok', before} end
  local result = add(counter, by, min, max, ttlMs, renew)
  if result[1] == 'ok' then redis.call('SET', receipt, result[2], 'PX', receiptTtlMs) end
  return result
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 6 and 6 or 0
for keyAt = 0, #KEYS - 1, 2 do
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

export interface IncrementKeys {
  readonly counter: Arg;
}

export interface IncrementArgs {
  readonly by: number;
  readonly min: number;
  readonly max: number;
  readonly ttlMs: number;
  readonly renew: boolean;
}

export type IncrementResult =
  | { readonly status: "ok"; readonly value: number }
  | { readonly status: "limit"; readonly value: number };

/** Adds to a counter within its bounds; outside them nothing changes. */
export const increment: BatchScript<IncrementKeys, IncrementArgs, IncrementResult> = {
  class: "unsafe",
  name: "counter.increment",
  sha1: "045155a583c1736b6a62e36ac7bcbbc370e4e437",
  lua: `-- counter.increment
${ADD}local counter = KEYS[1]
local by, min, max, ttlMs, renew = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1'
return add(counter, by, min, max, ttlMs, renew)
`,
  encodeKeys(keys, out) {
    out.push(keys.counter);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("by", args.by), encodeInt("min", args.min), encodeInt("max", args.max), encodeInt("ttlMs", args.ttlMs), encodeBool(args.renew));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", value: decodeInt(fields[1]) };
      case "limit":
        expectFields(fields, 1);
        return { status: "limit", value: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, limit", reply);
    }
  },
  merged: {
    name: "counter.increment (merged)",
    sha1: "aeb784636e5bdeec0496e2984af494a6580239b9",
    lua: `-- counter.increment
${ADD}local function run(keyAt, argAt)
  local counter = KEYS[keyAt + 1]
  local by, min, max, ttlMs, renew = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), ARGV[argAt + 5] == '1'
  return add(counter, by, min, max, ttlMs, renew)
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 5 and 5 or 0
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
