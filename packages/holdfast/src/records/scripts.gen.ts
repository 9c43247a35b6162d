// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeBytes, decodeFloat, decodeInt, decodeList, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeFloat, encodeInt, encodeJson } from "../core/script/encode.ts";
import type { BatchScript, Script } from "../core/script/script.ts";

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

export interface ClaimKeys {
  readonly claim: Arg;
}

export interface ClaimArgs {
  /** 16 characters, the last 8 of which are its time */
  readonly token: string;
  readonly id: string;
  /** another record's claim that may be replaced, as it is stored */
  readonly stale: string;
  readonly ttlMs: number;
}

export type ClaimResult =
  | { readonly status: "made" }
  | { readonly status: "mine" }
  | { readonly status: "held"; readonly stored: string };

/** Claim a unique value for a record. `mine`: this record's claim is there already, and has a new token now, of the later time. */
export const claim: BatchScript<ClaimKeys, ClaimArgs, ClaimResult> = {
  class: "idempotent",
  name: "records.claim",
  sha1: "01a2cb98a24fbca9d729e4deffa44189d02386cb",
  lua: `-- records.claim
local claim = KEYS[1]
local token, id, stale, ttlMs = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local TOKEN_LENGTH, TIME_AT = 16, 9
local stored = redis.call('GET', claim)
local isMine = stored and string.sub(stored, TOKEN_LENGTH + 1) == id
if stored and not isMine and stored ~= stale then return {'held', stored} end
local madeAt, before = string.sub(token, TIME_AT), isMine and string.sub(stored, TIME_AT, TOKEN_LENGTH)
if before and before > madeAt then madeAt = before end
redis.call('SET', claim, string.sub(token, 1, TIME_AT - 1) .. madeAt .. id, 'PX', ttlMs)
return {isMine and 'mine' or 'made'}
`,
  encodeKeys(keys, out) {
    out.push(keys.claim);
  },
  encodeArgs(args, out) {
    out.push(args.token, args.id, args.stale, encodeInt("ttlMs", args.ttlMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "made":
        expectFields(fields, 0);
        return { status: "made" };
      case "mine":
        expectFields(fields, 0);
        return { status: "mine" };
      case "held":
        expectFields(fields, 1);
        return { status: "held", stored: decodeText(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of made, mine, held", reply);
    }
  },
  most: 64,
  merged: {
    name: "records.claim (merged)",
    sha1: "d6d4e8a09faaff022f5b530fe6f5b5afd4dff2ed",
    lua: `-- records.claim
local function run(keyAt, argAt)
  local claim = KEYS[keyAt + 1]
  local token, id, stale, ttlMs = ARGV[argAt + 1], ARGV[argAt + 2], ARGV[argAt + 3], tonumber(ARGV[argAt + 4])
  local TOKEN_LENGTH, TIME_AT = 16, 9
  local stored = redis.call('GET', claim)
  local isMine = stored and string.sub(stored, TOKEN_LENGTH + 1) == id
  if stored and not isMine and stored ~= stale then return {'held', stored} end
  local madeAt, before = string.sub(token, TIME_AT), isMine and string.sub(stored, TIME_AT, TOKEN_LENGTH)
  if before and before > madeAt then madeAt = before end
  redis.call('SET', claim, string.sub(token, 1, TIME_AT - 1) .. madeAt .. id, 'PX', ttlMs)
  return {isMine and 'mine' or 'made'}
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

export interface CommitKeys {
  readonly record: Arg;
}

export interface CommitArgs {
  /** names this write */
  readonly opId: string;
  /** 0; when it is sent again: for how long it may have been under way */
  readonly againMs: number;
  /** the version that must be stored: 0 for no record, -1 for any that there is */
  readonly expected: number;
  /** milliseconds since 1970 on the servers' clocks */
  readonly begunAt: number;
  /** how long ago that may be */
  readonly withinMs: number;
  readonly ttlMs: number;
  /** whether the record is replaced */
  readonly whole: boolean;
  /** fields of the hash */
  readonly removed: unknown;
  /** fields of the hash, each followed by the length of its value */
  readonly layout: unknown;
  /** the values, one after the other */
  readonly payload: Arg;
  /** names of fields that expire, each followed by its milliseconds */
  readonly expiring: unknown;
}

export type CommitResult =
  | { readonly status: "ok"; readonly version: number }
  | { readonly status: "conflict"; readonly version: number }
  | { readonly status: "missing" }
  | { readonly status: "late" }
  | { readonly status: "again" }
  | { readonly status: "forgotten" };

/**
 * Write a record that is in indexes, over the version that its entries were made for. `late`: begun too long ago, so its entries may be gone.
 * `again`: it may have made a record that was deleted since, and with it what pointed to it.
 */
export const commit: BatchScript<CommitKeys, CommitArgs, CommitResult> = {
  class: "dedupable",
  name: "records.commit",
  sha1: "6c9d85bdf13c5d32f5eefd8acbb7d97325b11513",
  lua: `-- records.commit
${NOW}${RECORD}local record = KEYS[1]
local opId, againMs, expected, begunAt, withinMs, ttlMs, whole, removed, layout, payload, expiring = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7] == '1', cjson.decode(ARGV[8]), cjson.decode(ARGV[9]), ARGV[10], cjson.decode(ARGV[11])
local state = stateOf(record)
local version = state and madeBy(state, opId)
if version then return {'ok', version} end
local current = state and state.version or 0
if expected >= 0 and expected ~= current then
  if againMs > 0 and not (state and remembers(state, expected)) then return {'forgotten'} end
  return {'conflict', current}
end
if expected < 0 and not state then return {againMs > 0 and 'forgotten' or 'missing'} end
if againMs > 0 and expected < 0 and mayForget(state, againMs) then return {'forgotten'} end
if againMs > 0 and not state then return {'again'} end
if now() - begunAt > withinMs then return {'late'} end
local fields, at = {}, 1
for i = 1, #layout, 2 do
  local after = at + layout[i + 1]
  fields[i], fields[i + 1] = layout[i], string.sub(payload, at, after - 1)
  at = after
end
for i = 1, #expiring, 2 do
  fields[#fields + 1] = 'e:' .. expiring[i]
  fields[#fields + 1] = string.format('%.0f', now() + expiring[i + 1])
end
if whole then
  redis.call('DEL', record)
else
  for _, name in ipairs(removed) do redis.call('HDEL', record, name) end
end
return {'ok', commit(record, state, opId, ttlMs, fields)}
`,
  encodeKeys(keys, out) {
    out.push(keys.record);
  },
  encodeArgs(args, out) {
    out.push(args.opId, encodeInt("againMs", args.againMs), encodeInt("expected", args.expected), encodeInt("begunAt", args.begunAt), encodeInt("withinMs", args.withinMs), encodeInt("ttlMs", args.ttlMs), encodeBool(args.whole), encodeJson("removed", args.removed), encodeJson("layout", args.layout), args.payload, encodeJson("expiring", args.expiring));
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
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      case "late":
        expectFields(fields, 0);
        return { status: "late" };
      case "again":
        expectFields(fields, 0);
        return { status: "again" };
      case "forgotten":
        expectFields(fields, 0);
        return { status: "forgotten" };
      default:
        throw new UnexpectedReplyError("one of ok, conflict, missing, late, again, forgotten", reply);
    }
  },
  most: 32,
  merged: {
    name: "records.commit (merged)",
    sha1: "f9e1d75cceca025855f5cb96eebe7edd34bd796d",
    lua: `-- records.commit
${NOW}${RECORD}local function run(keyAt, argAt)
  local record = KEYS[keyAt + 1]
  local opId, againMs, expected, begunAt, withinMs, ttlMs, whole, removed, layout, payload, expiring = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), tonumber(ARGV[argAt + 5]), tonumber(ARGV[argAt + 6]), ARGV[argAt + 7] == '1', cjson.decode(ARGV[argAt + 8]), cjson.decode(ARGV[argAt + 9]), ARGV[argAt + 10], cjson.decode(ARGV[argAt + 11])
  local state = stateOf(record)
  local version = state and madeBy(state, opId)
  if version then return {'ok', version} end
  local current = state and state.version or 0
  if expected >= 0 and expected ~= current then
    if againMs > 0 and not (state and remembers(state, expected)) then return {'forgotten'} end
    return {'conflict', current}
  end
  if expected < 0 and not state then return {againMs > 0 and 'forgotten' or 'missing'} end
  if againMs > 0 and expected < 0 and mayForget(state, againMs) then return {'forgotten'} end
  if againMs > 0 and not state then return {'again'} end
  if now() - begunAt > withinMs then return {'late'} end
  local fields, at = {}, 1
  for i = 1, #layout, 2 do
    local after = at + layout[i + 1]
    fields[i], fields[i + 1] = layout[i], string.sub(payload, at, after - 1)
    at = after
  end
  for i = 1, #expiring, 2 do
    fields[#fields + 1] = 'e:' .. expiring[i]
    fields[#fields + 1] = string.format('%.0f', now() + expiring[i + 1])
  end
  if whole then
    redis.call('DEL', record)
  else
    for _, name in ipairs(removed) do redis.call('HDEL', record, name) end
  end
  return {'ok', commit(record, state, opId, ttlMs, fields)}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 11 and 11 or 0
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

export interface EnterKeys {
  readonly index: Arg;
  /** there as long as the index ought to be */
  readonly born: Arg;
}

export interface EnterArgs {
  readonly ttlMs: number;
  /** whether entries are known to be missing */
  readonly isLost: boolean;
  /** lengths of the entries */
  readonly layout: unknown;
  /** the entries, one after the other */
  readonly payload: Arg;
}

export type EnterResult = boolean;

/** Add entries to a partition of an index, and notice when it was evicted: its members `\0` and `\0!<time>` say "begun" and "lost". */
export const enter: BatchScript<EnterKeys, EnterArgs, EnterResult> = {
  class: "idempotent",
  name: "records.enter",
  sha1: "4139d6d689586e2416de89b1988a40e92a03523c",
  lua: `-- records.enter
${NOW}local index, born = KEYS[1], KEYS[2]
local ttlMs, isLost, layout, payload = tonumber(ARGV[1]), ARGV[2] == '1', cjson.decode(ARGV[3]), ARGV[4]
local members, at = {}, 1
for i = 1, #layout do
  members[#members + 1] = 0
  members[#members + 1] = string.sub(payload, at, at + layout[i] - 1)
  at = at + layout[i]
end
local isEvicted = false
if not redis.call('ZSCORE', index, '\\0') then
  isEvicted = redis.call('EXISTS', born) == 1
  redis.call('ZADD', index, 0, '\\0')
end
local isMarked = redis.call('ZLEXCOUNT', index, '[\\0!', '(\\1') > 0
if isEvicted or (isLost and not isMarked) then
  redis.call('ZADD', index, 0, string.format('\\0!%015.0f', now()))
  isMarked = true
end
for i = 1, #members, 2000 do
  redis.call('ZADD', index, unpack(members, i, math.min(i + 1999, #members)))
end
local expiresAt = now() + ttlMs
redis.call('SET', born, '1', 'PXAT', expiresAt)
redis.call('PEXPIREAT', index, expiresAt)
return not isMarked
`,
  encodeKeys(keys, out) {
    out.push(keys.index, keys.born);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("ttlMs", args.ttlMs), encodeBool(args.isLost), encodeJson("layout", args.layout), args.payload);
  },
  decode(reply) {
    return decodeBool(reply);
  },
  most: 48,
  merged: {
    name: "records.enter (merged)",
    sha1: "b50d4a71cb10e736f11763d8763dc9a4f1bb27f4",
    lua: `-- records.enter
${NOW}local function run(keyAt, argAt)
  local index, born = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local ttlMs, isLost, layout, payload = tonumber(ARGV[argAt + 1]), ARGV[argAt + 2] == '1', cjson.decode(ARGV[argAt + 3]), ARGV[argAt + 4]
  local members, at = {}, 1
  for i = 1, #layout do
    members[#members + 1] = 0
    members[#members + 1] = string.sub(payload, at, at + layout[i] - 1)
    at = at + layout[i]
  end
  local isEvicted = false
  if not redis.call('ZSCORE', index, '\\0') then
    isEvicted = redis.call('EXISTS', born) == 1
    redis.call('ZADD', index, 0, '\\0')
  end
  local isMarked = redis.call('ZLEXCOUNT', index, '[\\0!', '(\\1') > 0
  if isEvicted or (isLost and not isMarked) then
    redis.call('ZADD', index, 0, string.format('\\0!%015.0f', now()))
    isMarked = true
  end
  for i = 1, #members, 2000 do
    redis.call('ZADD', index, unpack(members, i, math.min(i + 1999, #members)))
  end
  local expiresAt = now() + ttlMs
  redis.call('SET', born, '1', 'PXAT', expiresAt)
  redis.call('PEXPIREAT', index, expiresAt)
  return not isMarked
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 4 and 4 or 0
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
  most: 48,
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
  most: 40,
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
  most: 32,
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

export interface TakeKeys {
  readonly record: Arg;
}

export interface TakeArgs {
  readonly fields: readonly string[];
}

export type TakeResult =
  | { readonly status: "ok"; readonly values: Buffer[] }
  | { readonly status: "missing" };

/** Delete a record and return what it had in some fields of its hash, empty where it had none. */
export const take: Script<TakeKeys, TakeArgs, TakeResult> = {
  class: "idempotent",
  name: "records.take",
  sha1: "f018e56dd9d942d02b3ba4d7f873bb71da0a77c3",
  lua: `-- records.take
local record = KEYS[1]
local fields = ARGV
if redis.call('EXISTS', record) == 0 then return {'missing'} end
local values = {}
for i = 1, #fields do values[i] = redis.call('HGET', record, fields[i]) or '' end
redis.call('UNLINK', record)
return {'ok', values}
`,
  encodeKeys(keys, out) {
    out.push(keys.record);
  },
  encodeArgs(args, out) {
    for (const each of args.fields) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", values: decodeList(fields[1], decodeBytes) };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of ok, missing", reply);
    }
  },
};

export interface UnclaimKeys {
  readonly claim: Arg;
}

export interface UnclaimArgs {
  readonly stored: string;
}

export type UnclaimResult = boolean;

/** Give a claim back, if it is still this one. */
export const unclaim: BatchScript<UnclaimKeys, UnclaimArgs, UnclaimResult> = {
  class: "idempotent",
  name: "records.unclaim",
  sha1: "1b12ea0e3ab1dd92d6bee45efab0b5824106c543",
  lua: `-- records.unclaim
local claim = KEYS[1]
local stored = ARGV[1]
return redis.call('GET', claim) == stored and redis.call('UNLINK', claim) == 1
`,
  encodeKeys(keys, out) {
    out.push(keys.claim);
  },
  encodeArgs(args, out) {
    out.push(args.stored);
  },
  decode(reply) {
    return decodeBool(reply);
  },
  most: 128,
  merged: {
    name: "records.unclaim (merged)",
    sha1: "9bdf1aabe0eb314a808ac33a6865ff688ce036c5",
    lua: `-- records.unclaim
local function run(keyAt, argAt)
  local claim = KEYS[keyAt + 1]
  local stored = ARGV[argAt + 1]
  return redis.call('GET', claim) == stored and redis.call('UNLINK', claim) == 1
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
