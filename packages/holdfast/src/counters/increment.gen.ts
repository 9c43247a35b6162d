// Generated from increment.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeInt, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeBool, encodeInt } from "../script/encode.ts";
import type { BatchScript } from "../script/script.ts";

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

/** Add to a counter within its bounds; out of them nothing changes. */
export const increment: BatchScript<IncrementKeys, IncrementArgs, IncrementResult> = {
  class: "unsafe",
  name: "counters.increment",
  sha1: "e031d408f94926e8c8fbf1fc0cac5859292f9f7e",
  lua: `-- counters.increment
local MAX_VALUE = 9007199254740991
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
local counter = KEYS[1]
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
    name: "counters.increment (merged)",
    sha1: "ae1572c0c9e0b996a6d5509d374e8d93ee06dd4f",
    lua: `-- counters.increment
local MAX_VALUE = 9007199254740991
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
local function run(keyAt, argAt)
  local counter = KEYS[keyAt + 1]
  local by, min, max, ttlMs, renew = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), ARGV[argAt + 5] == '1'
  return add(counter, by, min, max, ttlMs, renew)
end
local outcomes, size, argAt = {}, 0, 0
for keyAt = 0, #KEYS - 1, 1 do
  local ok, reply = pcall(run, keyAt, argAt)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  if reply == nil then reply = false end
  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply
  size, argAt = size + 2, argAt + 5
end
return outcomes
`,
  },
};
