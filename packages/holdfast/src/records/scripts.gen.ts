// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeFloat, decodeInt, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeFloat, encodeInt, encodeJson } from "../core/script/encode.ts";
import type { BatchScript } from "../core/script/script.ts";

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

const RECORD = `local OP_LENGTH = 9
local MAX_OPS = 16
local SKEW_MS = 1000
local function stateOf(record)
  local stored = redis.call('HMGET', record, 'version', 'ops', 'times')
  return stored[1] and { version = tonumber(stored[1]), ops = stored[2] or '', times = stored[3] or '' } or nil
end
local function madeBy(state, opId)
  local at = string.find(state.ops, opId .. ',', 1, true)
  return at and state.version - (at - 1) / OP_LENGTH
end
local function remembers(state, expected)
  local since = state.version - expected
  return since > 0 and since * OP_LENGTH <= #state.ops
end
local function mayForget(state, againMs)
  if #state.ops < OP_LENGTH * MAX_OPS then return false end
  local since = tonumber(string.match(state.times, '^(%d+),'))
  return not since or since >= now() - againMs - SKEW_MS
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
  local times = state and state.times or ''
  if version % (MAX_OPS / 2) == 0 then times = string.match(times, '%d*$') .. ',' .. now() end
  redis.call('HSET', record, 'version', version, 'ops', ops, 'times', times, unpack(fields))
  redis.call('PEXPIRE', record, ttlMs)
  return version
end
`;

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
  sha1: "21a45ea47ab666499a39420baaf2817e34d161b2",
  lua: `-- records.increment
${NOW}${RECORD}local record = KEYS[1]
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
    sha1: "13cd8dc37d159d5f88e1198c8e8f6605cd437744",
    lua: `-- records.increment
${NOW}${RECORD}local function run(keyAt, argAt)
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
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 4 and 4 or 0
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

export interface PatchKeys {
  readonly record: Arg;
}

export interface PatchArgs {
  /** names this write */
  readonly opId: string;
  /** 0; when it is sent again: for how long it may have been under way */
  readonly againMs: number;
  /** the version that must be stored, -1 for any */
  readonly expected: number;
  readonly ttlMs: number;
  /** names of fields */
  readonly removed: unknown;
  /** names of the fields, each followed by the length of its value */
  readonly layout: unknown;
  /** the values, one after the other */
  readonly payload: Arg;
}

export type PatchResult =
  | { readonly status: "ok"; readonly version: number }
  | { readonly status: "missing" }
  | { readonly status: "conflict"; readonly version: number }
  | { readonly status: "forgotten" };

/** Change some fields of a record that is there. `forgotten`: as of set. */
export const patch: BatchScript<PatchKeys, PatchArgs, PatchResult> = {
  class: "dedupable",
  name: "records.patch",
  sha1: "18b82e57b1895b03de73bd5fd3830e76f759cf90",
  lua: `-- records.patch
${NOW}${RECORD}local record = KEYS[1]
local opId, againMs, expected, ttlMs, removed, layout, payload = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), cjson.decode(ARGV[5]), cjson.decode(ARGV[6]), ARGV[7]
local state = stateOf(record)
if not state then return {againMs > 0 and 'forgotten' or 'missing'} end
local version = madeBy(state, opId)
if version then return {'ok', version} end
if expected >= 0 and expected ~= state.version then
  if againMs > 0 and not remembers(state, expected) then return {'forgotten'} end
  return {'conflict', state.version}
end
if againMs > 0 and expected < 0 and mayForget(state, againMs) then return {'forgotten'} end
for _, name in ipairs(removed) do redis.call('HDEL', record, 'd:' .. name) end
return {'ok', commit(record, state, opId, ttlMs, fieldsOf(layout, payload))}
`,
  encodeKeys(keys, out) {
    out.push(keys.record);
  },
  encodeArgs(args, out) {
    out.push(args.opId, encodeInt("againMs", args.againMs), encodeInt("expected", args.expected), encodeInt("ttlMs", args.ttlMs), encodeJson("removed", args.removed), encodeJson("layout", args.layout), args.payload);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", version: decodeInt(fields[1]) };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      case "conflict":
        expectFields(fields, 1);
        return { status: "conflict", version: decodeInt(fields[1]) };
      case "forgotten":
        expectFields(fields, 0);
        return { status: "forgotten" };
      default:
        throw new UnexpectedReplyError("one of ok, missing, conflict, forgotten", reply);
    }
  },
  merged: {
    name: "records.patch (merged)",
    sha1: "74aa48950d6752dc573d39076614fd2397f64aa1",
    lua: `-- records.patch
${NOW}${RECORD}local function run(keyAt, argAt)
  local record = KEYS[keyAt + 1]
  local opId, againMs, expected, ttlMs, removed, layout, payload = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), cjson.decode(ARGV[argAt + 5]), cjson.decode(ARGV[argAt + 6]), ARGV[argAt + 7]
  local state = stateOf(record)
  if not state then return {againMs > 0 and 'forgotten' or 'missing'} end
  local version = madeBy(state, opId)
  if version then return {'ok', version} end
  if expected >= 0 and expected ~= state.version then
    if againMs > 0 and not remembers(state, expected) then return {'forgotten'} end
    return {'conflict', state.version}
  end
  if againMs > 0 and expected < 0 and mayForget(state, againMs) then return {'forgotten'} end
  for _, name in ipairs(removed) do redis.call('HDEL', record, 'd:' .. name) end
  return {'ok', commit(record, state, opId, ttlMs, fieldsOf(layout, payload))}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 7 and 7 or 0
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

export interface SetKeys {
  readonly record: Arg;
}

export interface SetArgs {
  /** names this write */
  readonly opId: string;
  /** 0; when it is sent again: for how long it may have been under way */
  readonly againMs: number;
  /** the version that must be stored: 0 for no record, -1 for any state */
  readonly expected: number;
  readonly ttlMs: number;
  /** names of the fields, each followed by the length of its value */
  readonly layout: unknown;
  /** the values, one after the other */
  readonly payload: Arg;
}

export type SetResult =
  | { readonly status: "ok"; readonly version: number }
  | { readonly status: "conflict"; readonly version: number }
  | { readonly status: "forgotten" };

/** Replace a whole record, or create it. `forgotten`: a repeat, and whether it was executed before is not known any more. */
export const set: BatchScript<SetKeys, SetArgs, SetResult> = {
  class: "dedupable",
  name: "records.set",
  sha1: "be25191a1b0844878a7651b4949be00b8e7c55a1",
  lua: `-- records.set
${NOW}${RECORD}local record = KEYS[1]
local opId, againMs, expected, ttlMs, layout, payload = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), cjson.decode(ARGV[5]), ARGV[6]
local state = stateOf(record)
local version = state and madeBy(state, opId)
if version then return {'ok', version} end
local current = state and state.version or 0
if expected >= 0 and expected ~= current then
  if againMs > 0 and not (state and remembers(state, expected)) then return {'forgotten'} end
  return {'conflict', current}
end
if againMs > 0 and expected < 0 and state and mayForget(state, againMs) then return {'forgotten'} end
local fields = fieldsOf(layout, payload)
redis.call('DEL', record)
return {'ok', commit(record, state, opId, ttlMs, fields)}
`,
  encodeKeys(keys, out) {
    out.push(keys.record);
  },
  encodeArgs(args, out) {
    out.push(args.opId, encodeInt("againMs", args.againMs), encodeInt("expected", args.expected), encodeInt("ttlMs", args.ttlMs), encodeJson("layout", args.layout), args.payload);
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
      case "forgotten":
        expectFields(fields, 0);
        return { status: "forgotten" };
      default:
        throw new UnexpectedReplyError("one of ok, conflict, forgotten", reply);
    }
  },
  merged: {
    name: "records.set (merged)",
    sha1: "ec792520c2261dd38f31de25dd7ea3ea91e3589d",
    lua: `-- records.set
${NOW}${RECORD}local function run(keyAt, argAt)
  local record = KEYS[keyAt + 1]
  local opId, againMs, expected, ttlMs, layout, payload = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), cjson.decode(ARGV[argAt + 5]), ARGV[argAt + 6]
  local state = stateOf(record)
  local version = state and madeBy(state, opId)
  if version then return {'ok', version} end
  local current = state and state.version or 0
  if expected >= 0 and expected ~= current then
    if againMs > 0 and not (state and remembers(state, expected)) then return {'forgotten'} end
    return {'conflict', current}
  end
  if againMs > 0 and expected < 0 and state and mayForget(state, againMs) then return {'forgotten'} end
  local fields = fieldsOf(layout, payload)
  redis.call('DEL', record)
  return {'ok', commit(record, state, opId, ttlMs, fields)}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 6 and 6 or 0
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
