// Generated from increment.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeFloat, decodeInt, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeFloat, encodeInt } from "../script/encode.ts";
import type { BatchScript } from "../script/script.ts";

export interface IncrementKeys {
  readonly record: Arg;
}

export interface IncrementArgs {
  readonly opId: string;
  readonly ttlMs: number;
  readonly field: string;
  readonly by: number;
}

export type IncrementResult =
  | { readonly status: "ok"; readonly value: number; readonly version: number }
  | { readonly status: "missing" }
  | { readonly status: "notANumber" }
  | { readonly status: "outOfRange" };

/** Add to a number of a record that is there. In doubles, like JavaScript: HINCRBYFLOAT would give other sums. */
export const increment: BatchScript<IncrementKeys, IncrementArgs, IncrementResult> = {
  class: "unsafe",
  name: "records.increment",
  sha1: "e2f1ae8e9b91d70524afadc4171f4fd1ddb0a830",
  lua: `-- records.increment
local clockMicros
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
local OP_LENGTH = 9
local MAX_OPS = 16
local function stateOf(record)
  local stored = redis.call('HMGET', record, 'version', 'ops')
  return stored[1] and { version = tonumber(stored[1]), ops = stored[2] or '' } or nil
end
local function madeBy(state, opId)
  local at = string.find(state.ops, opId .. ',', 1, true)
  return at and state.version - (at - 1) / OP_LENGTH
end
local function fieldsOf(layout, payload)
  local fields, at = {}, 1
  for i = 1, #layout, 2 do
    local after = at + layout[i + 1]
    fields[i], fields[i + 1] = 'd:' .. layout[i], string.sub(payload, at, after - 1)
    at = after
  end
  return fields
end
local function commit(record, state, opId, ttlMs, fields)
  local version = state and state.version + 1 or nowMicros()
  local ops = string.sub(opId .. ',' .. (state and state.ops or ''), 1, OP_LENGTH * MAX_OPS)
  redis.call('HSET', record, 'version', version, 'ops', ops, unpack(fields))
  redis.call('PEXPIRE', record, ttlMs)
  return version
end
local record = KEYS[1]
local opId, ttlMs, field, by = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local MAX_WHOLE = 9007199254740991
local function isWhole(number)
  return number % 1 == 0 and math.abs(number) <= MAX_WHOLE
end
local state = stateOf(record)
if not state then return {'missing'} end
local stored = redis.call('HGET', record, 'd:' .. field) or '0'
local value = string.find(stored, '^-?%d') and tonumber(stored)
if not value then return {'notANumber'} end
local sum = value + by
local rounds = isWhole(value) and isWhole(by) and not isWhole(sum)
if rounds or math.abs(sum) == math.huge then return {'outOfRange'} end
local text = string.format('%.17g', sum)
return {'ok', text, commit(record, state, opId, ttlMs, {'d:' .. field, text})}
`,
  encodeKeys(keys, out) {
    out.push(keys.record);
  },
  encodeArgs(args, out) {
    out.push(args.opId, encodeInt("ttlMs", args.ttlMs), args.field, encodeFloat("by", args.by));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 2);
        return { status: "ok", value: decodeFloat(fields[1]), version: decodeInt(fields[2]) };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      case "notANumber":
        expectFields(fields, 0);
        return { status: "notANumber" };
      case "outOfRange":
        expectFields(fields, 0);
        return { status: "outOfRange" };
      default:
        throw new UnexpectedReplyError("one of ok, missing, notANumber, outOfRange", reply);
    }
  },
  merged: {
    name: "records.increment (merged)",
    sha1: "226f89e5e9c99b2b20aacec79395ba82517a4b08",
    lua: `-- records.increment
local clockMicros
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
local OP_LENGTH = 9
local MAX_OPS = 16
local function stateOf(record)
  local stored = redis.call('HMGET', record, 'version', 'ops')
  return stored[1] and { version = tonumber(stored[1]), ops = stored[2] or '' } or nil
end
local function madeBy(state, opId)
  local at = string.find(state.ops, opId .. ',', 1, true)
  return at and state.version - (at - 1) / OP_LENGTH
end
local function fieldsOf(layout, payload)
  local fields, at = {}, 1
  for i = 1, #layout, 2 do
    local after = at + layout[i + 1]
    fields[i], fields[i + 1] = 'd:' .. layout[i], string.sub(payload, at, after - 1)
    at = after
  end
  return fields
end
local function commit(record, state, opId, ttlMs, fields)
  local version = state and state.version + 1 or nowMicros()
  local ops = string.sub(opId .. ',' .. (state and state.ops or ''), 1, OP_LENGTH * MAX_OPS)
  redis.call('HSET', record, 'version', version, 'ops', ops, unpack(fields))
  redis.call('PEXPIRE', record, ttlMs)
  return version
end
local function run(keyAt, argAt)
  local record = KEYS[keyAt + 1]
  local opId, ttlMs, field, by = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), ARGV[argAt + 3], tonumber(ARGV[argAt + 4])
  local MAX_WHOLE = 9007199254740991
  local function isWhole(number)
    return number % 1 == 0 and math.abs(number) <= MAX_WHOLE
  end
  local state = stateOf(record)
  if not state then return {'missing'} end
  local stored = redis.call('HGET', record, 'd:' .. field) or '0'
  local value = string.find(stored, '^-?%d') and tonumber(stored)
  if not value then return {'notANumber'} end
  local sum = value + by
  local rounds = isWhole(value) and isWhole(by) and not isWhole(sum)
  if rounds or math.abs(sum) == math.huge then return {'outOfRange'} end
  local text = string.format('%.17g', sum)
  return {'ok', text, commit(record, state, opId, ttlMs, {'d:' .. field, text})}
end
local outcomes, size, argAt = {}, 0, 0
for keyAt = 0, #KEYS - 1, 1 do
  local ok, reply = pcall(run, keyAt, argAt)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  if reply == nil then reply = false end
  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply
  size, argAt = size + 2, argAt + 4
end
return outcomes
`,
  },
};
