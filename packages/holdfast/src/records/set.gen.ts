// Generated from set.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeInt, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeInt, encodeJson } from "../script/encode.ts";
import type { BatchScript } from "../script/script.ts";

export interface SetKeys {
  readonly record: Arg;
}

export interface SetArgs {
  /** names this write */
  readonly opId: string;
  /** the version that must be stored: 0 for no record, -1 for any state */
  readonly expected: number;
  readonly ttlMs: number;
  /** names of the fields and lengths of their values by turns */
  readonly layout: unknown;
  /** the values, one after the other */
  readonly payload: Arg;
}

export type SetResult =
  | { readonly status: "ok"; readonly version: number }
  | { readonly status: "conflict"; readonly version: number };

/** Replace a whole record, or create it. */
export const set: BatchScript<SetKeys, SetArgs, SetResult> = {
  class: "dedupable",
  name: "records.set",
  sha1: "980565d23026dad38e31da593640bf58e451db56",
  lua: `-- records.set
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
local opId, expected, ttlMs, layout, payload = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), cjson.decode(ARGV[4]), ARGV[5]
local state = stateOf(record)
local version = state and madeBy(state, opId)
if version then return {'ok', version} end
local current = state and state.version or 0
if expected >= 0 and expected ~= current then return {'conflict', current} end
redis.call('DEL', record)
return {'ok', commit(record, state, opId, ttlMs, fieldsOf(layout, payload))}
`,
  encodeKeys(keys, out) {
    out.push(keys.record);
  },
  encodeArgs(args, out) {
    out.push(args.opId, encodeInt("expected", args.expected), encodeInt("ttlMs", args.ttlMs), encodeJson("layout", args.layout), args.payload);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", version: decodeInt(fields[1]) };
      case "conflict":
        expectFields(fields, 1);
        return { status: "conflict", version: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, conflict", reply);
    }
  },
  merged: {
    name: "records.set (merged)",
    sha1: "7d6b744df59bce340388ac2db95bb5b34b6a9b2b",
    lua: `-- records.set
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
  local opId, expected, ttlMs, layout, payload = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), cjson.decode(ARGV[argAt + 4]), ARGV[argAt + 5]
  local state = stateOf(record)
  local version = state and madeBy(state, opId)
  if version then return {'ok', version} end
  local current = state and state.version or 0
  if expected >= 0 and expected ~= current then return {'conflict', current} end
  redis.call('DEL', record)
  return {'ok', commit(record, state, opId, ttlMs, fieldsOf(layout, payload))}
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
