// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBigint, decodeInt, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBigint, encodeBool, encodeInt } from "../core/script/encode.ts";
import type { BatchScript } from "../core/script/script.ts";

const ADD_BIG = `local function isGreater(a, b)
  local isNegative = string.sub(a, 1, 1) == '-'
  if isNegative ~= (string.sub(b, 1, 1) == '-') then return not isNegative end
  if #a ~= #b then return (#a > #b) ~= isNegative end
  return a ~= b and (a > b) ~= isNegative
end
local function addBig(counter, by, min, max, ttlMs, renew)
  local before = redis.call('GET', counter)
  local reply = redis.pcall('INCRBY', counter, by)
  if type(reply) == 'table' then
    if string.find(reply.err, 'overflow', 1, true) then return {'limit', before or '0'} end
    if string.find(reply.err, 'not an integer', 1, true) then error({err = 'WRONGTYPE the key holds no whole number of 64 bits'}) end
    error(reply)
  end
  local sum = redis.call('GET', counter)
  if isGreater(sum, max) or isGreater(min, sum) then
    if before then redis.call('SET', counter, before, 'KEEPTTL') else redis.call('DEL', counter) end
    return {'limit', before or '0'}
  end
  if renew or not before then redis.call('PEXPIRE', counter, ttlMs) end
  return {'ok', sum}
end
`;

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

const RINGS = `local MINUTE_MS, HOUR_MS, DAY_MS = 60000, 3600000, 86400000
local function ringed(ring, by, lengthMs, keep)
  local period = math.floor(now() / lengthMs)
  local field = string.format('%d', period % keep)
  local at, sum = string.match(redis.call('HGET', ring, field) or '', '^(%d+) (-?%d+)$')
  local value = tonumber(at) == period and tonumber(sum) + by or by
  if math.abs(value) > MAX_VALUE then return nil end
  return field, string.format('%.0f %.0f', period, value)
end
local function addInRings(counter, rings, keeps, by, min, max, ttlMs, renew)
  local lengths, fields, values = {MINUTE_MS, HOUR_MS, DAY_MS}, {}, {}
  for at, ring in ipairs(rings) do
    if keeps[at] > 0 then
      fields[at], values[at] = ringed(ring, by, lengths[at], keeps[at])
      if not fields[at] then return {'limit', replyOf(valueOf(redis.call('GET', counter) or '0'))} end
    end
  end
  local result = add(counter, by, min, max, ttlMs, renew)
  if result[1] ~= 'ok' then return result end
  for at, ring in ipairs(rings) do
    if keeps[at] > 0 then
      redis.call('HSET', ring, fields[at], values[at])
      redis.call('PEXPIRE', ring, (keeps[at] + 1) * lengths[at])
    end
  end
  return result
end
`;

export interface IncrementBigOnceKeys {
  readonly counter: Arg;
  readonly receipt: Arg;
}

export interface IncrementBigOnceArgs {
  readonly by: bigint;
  readonly min: bigint;
  readonly max: bigint;
  readonly ttlMs: number;
  readonly renew: boolean;
  readonly receiptTtlMs: number;
}

export type IncrementBigOnceResult =
  | { readonly status: "ok"; readonly value: bigint }
  | { readonly status: "limit"; readonly value: bigint };

/** Adds to a counter of 64 bits unless `receipt` shows that it was done; then returns what the first time returned. */
export const incrementBigOnce: BatchScript<IncrementBigOnceKeys, IncrementBigOnceArgs, IncrementBigOnceResult> = {
  class: "dedupable",
  name: "counter.incrementBigOnce",
  sha1: "76482ff76029f235c675611e351747973c118a57",
  lua: `-- counter.incrementBigOnce
${ADD_BIG}local counter, receipt = KEYS[1], KEYS[2]
local by, min, max, ttlMs, renew, receiptTtlMs = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5] == '1', tonumber(ARGV[6])
local before = redis.call('GET', receipt)
if before then return {'ok', before} end
local result = addBig(counter, by, min, max, ttlMs, renew)
if result[1] == 'ok' then redis.call('SET', receipt, result[2], 'PX', receiptTtlMs) end
return result
`,
  encodeKeys(keys, out) {
    out.push(keys.counter, keys.receipt);
  },
  encodeArgs(args, out) {
    out.push(encodeBigint(args.by), encodeBigint(args.min), encodeBigint(args.max), encodeInt("ttlMs", args.ttlMs), encodeBool(args.renew), encodeInt("receiptTtlMs", args.receiptTtlMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", value: decodeBigint(fields[1]) };
      case "limit":
        expectFields(fields, 1);
        return { status: "limit", value: decodeBigint(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, limit", reply);
    }
  },
  merged: {
    name: "counter.incrementBigOnce (merged)",
    sha1: "2c51eecbf84ce4f9c39133a44c5a99c2a9b695ce",
    lua: `-- counter.incrementBigOnce
${ADD_BIG}local function run(keyAt, argAt)
  local counter, receipt = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local by, min, max, ttlMs, renew, receiptTtlMs = ARGV[argAt + 1], ARGV[argAt + 2], ARGV[argAt + 3], tonumber(ARGV[argAt + 4]), ARGV[argAt + 5] == '1', tonumber(ARGV[argAt + 6])
  local before = redis.call('GET', receipt)
  if before then return {'ok', before} end
  local result = addBig(counter, by, min, max, ttlMs, renew)
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

export interface IncrementBigKeys {
  readonly counter: Arg;
}

export interface IncrementBigArgs {
  readonly by: bigint;
  readonly min: bigint;
  readonly max: bigint;
  readonly ttlMs: number;
  readonly renew: boolean;
}

export type IncrementBigResult =
  | { readonly status: "ok"; readonly value: bigint }
  | { readonly status: "limit"; readonly value: bigint };

/** Adds to a counter of 64 bits within its bounds; outside them it stays as it is. */
export const incrementBig: BatchScript<IncrementBigKeys, IncrementBigArgs, IncrementBigResult> = {
  class: "unsafe",
  name: "counter.incrementBig",
  sha1: "7b5c5a80f9e45b88412710162efb4719cd521396",
  lua: `-- counter.incrementBig
${ADD_BIG}local counter = KEYS[1]
local by, min, max, ttlMs, renew = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5] == '1'
return addBig(counter, by, min, max, ttlMs, renew)
`,
  encodeKeys(keys, out) {
    out.push(keys.counter);
  },
  encodeArgs(args, out) {
    out.push(encodeBigint(args.by), encodeBigint(args.min), encodeBigint(args.max), encodeInt("ttlMs", args.ttlMs), encodeBool(args.renew));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", value: decodeBigint(fields[1]) };
      case "limit":
        expectFields(fields, 1);
        return { status: "limit", value: decodeBigint(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, limit", reply);
    }
  },
  merged: {
    name: "counter.incrementBig (merged)",
    sha1: "0b356b43616927f8420bc5f5f7acda0b30deb9af",
    lua: `-- counter.incrementBig
${ADD_BIG}local function run(keyAt, argAt)
  local counter = KEYS[keyAt + 1]
  local by, min, max, ttlMs, renew = ARGV[argAt + 1], ARGV[argAt + 2], ARGV[argAt + 3], tonumber(ARGV[argAt + 4]), ARGV[argAt + 5] == '1'
  return addBig(counter, by, min, max, ttlMs, renew)
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

export interface IncrementRingsOnceKeys {
  readonly counter: Arg;
  /** hash: sums by period */
  readonly minutes: Arg;
  readonly hours: Arg;
  readonly days: Arg;
  readonly receipt: Arg;
}

export interface IncrementRingsOnceArgs {
  /** periods that are kept, with the present one; 0: none */
  readonly keepMinutes: number;
  readonly keepHours: number;
  readonly keepDays: number;
  readonly by: number;
  readonly min: number;
  readonly max: number;
  readonly ttlMs: number;
  readonly renew: boolean;
  readonly receiptTtlMs: number;
}

export type IncrementRingsOnceResult =
  | { readonly status: "ok"; readonly value: number }
  | { readonly status: "limit"; readonly value: number };

/** As increment-rings, unless `receipt` shows that it was done; then returns what the first time returned. */
export const incrementRingsOnce: BatchScript<IncrementRingsOnceKeys, IncrementRingsOnceArgs, IncrementRingsOnceResult> = {
  class: "dedupable",
  name: "counter.incrementRingsOnce",
  sha1: "31ba7dd3dd00d975f0384e147c880babfcafa987",
  lua: `-- counter.incrementRingsOnce
${NOW}${ADD}${RINGS}local counter, minutes, hours, days, receipt = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local keepMinutes, keepHours, keepDays, by, min, max, ttlMs, renew, receiptTtlMs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8] == '1', tonumber(ARGV[9])
local before = redis.call('GET', receipt)
if before then return {'ok', before} end
local result = addInRings(counter, {minutes, hours, days}, {keepMinutes, keepHours, keepDays}, by, min, max, ttlMs, renew)
if result[1] == 'ok' then redis.call('SET', receipt, result[2], 'PX', receiptTtlMs) end
return result
`,
  encodeKeys(keys, out) {
    out.push(keys.counter, keys.minutes, keys.hours, keys.days, keys.receipt);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("keepMinutes", args.keepMinutes), encodeInt("keepHours", args.keepHours), encodeInt("keepDays", args.keepDays), encodeInt("by", args.by), encodeInt("min", args.min), encodeInt("max", args.max), encodeInt("ttlMs", args.ttlMs), encodeBool(args.renew), encodeInt("receiptTtlMs", args.receiptTtlMs));
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
    name: "counter.incrementRingsOnce (merged)",
    sha1: "0eb24305dccd276aa459b4a6167535fcd8df2cef",
    lua: `-- counter.incrementRingsOnce
${NOW}${ADD}${RINGS}local function run(keyAt, argAt)
  local counter, minutes, hours, days, receipt = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3], KEYS[keyAt + 4], KEYS[keyAt + 5]
  local keepMinutes, keepHours, keepDays, by, min, max, ttlMs, renew, receiptTtlMs = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), tonumber(ARGV[argAt + 5]), tonumber(ARGV[argAt + 6]), tonumber(ARGV[argAt + 7]), ARGV[argAt + 8] == '1', tonumber(ARGV[argAt + 9])
  local before = redis.call('GET', receipt)
  if before then return {'ok', before} end
  local result = addInRings(counter, {minutes, hours, days}, {keepMinutes, keepHours, keepDays}, by, min, max, ttlMs, renew)
  if result[1] == 'ok' then redis.call('SET', receipt, result[2], 'PX', receiptTtlMs) end
  return result
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 9 and 9 or 0
for keyAt = 0, #KEYS - 1, 5 do
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

export interface IncrementRingsKeys {
  readonly counter: Arg;
  /** hash: sums by period */
  readonly minutes: Arg;
  readonly hours: Arg;
  readonly days: Arg;
}

export interface IncrementRingsArgs {
  /** periods that are kept, with the present one; 0: none */
  readonly keepMinutes: number;
  readonly keepHours: number;
  readonly keepDays: number;
  readonly by: number;
  readonly min: number;
  readonly max: number;
  readonly ttlMs: number;
  readonly renew: boolean;
}

export type IncrementRingsResult =
  | { readonly status: "ok"; readonly value: number }
  | { readonly status: "limit"; readonly value: number };

/** Adds to a counter within its bounds, and to the sums of the present minute, hour and day. */
export const incrementRings: BatchScript<IncrementRingsKeys, IncrementRingsArgs, IncrementRingsResult> = {
  class: "unsafe",
  name: "counter.incrementRings",
  sha1: "70160108fb475a05457f53f069359fe70a5899b7",
  lua: `-- counter.incrementRings
${NOW}${ADD}${RINGS}local counter, minutes, hours, days = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local keepMinutes, keepHours, keepDays, by, min, max, ttlMs, renew = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8] == '1'
return addInRings(counter, {minutes, hours, days}, {keepMinutes, keepHours, keepDays}, by, min, max, ttlMs, renew)
`,
  encodeKeys(keys, out) {
    out.push(keys.counter, keys.minutes, keys.hours, keys.days);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("keepMinutes", args.keepMinutes), encodeInt("keepHours", args.keepHours), encodeInt("keepDays", args.keepDays), encodeInt("by", args.by), encodeInt("min", args.min), encodeInt("max", args.max), encodeInt("ttlMs", args.ttlMs), encodeBool(args.renew));
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
    name: "counter.incrementRings (merged)",
    sha1: "f6e2d7d22b0353fd5ab496f0107944e5ad7634b2",
    lua: `-- counter.incrementRings
${NOW}${ADD}${RINGS}local function run(keyAt, argAt)
  local counter, minutes, hours, days = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3], KEYS[keyAt + 4]
  local keepMinutes, keepHours, keepDays, by, min, max, ttlMs, renew = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), tonumber(ARGV[argAt + 5]), tonumber(ARGV[argAt + 6]), tonumber(ARGV[argAt + 7]), ARGV[argAt + 8] == '1'
  return addInRings(counter, {minutes, hours, days}, {keepMinutes, keepHours, keepDays}, by, min, max, ttlMs, renew)
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 8 and 8 or 0
for keyAt = 0, #KEYS - 1, 4 do
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

export interface IncrementShardOnceKeys {
  readonly counter: Arg;
  readonly receipt: Arg;
}

export interface IncrementShardOnceArgs {
  readonly by: number;
  readonly ttlMs: number;
  readonly receiptTtlMs: number;
}

export type IncrementShardOnceResult =
  | { readonly status: "ok"; readonly leftMs: number }
  | { readonly status: "limit" };

/** As increment-shard, unless `receipt` shows that it was done. */
export const incrementShardOnce: BatchScript<IncrementShardOnceKeys, IncrementShardOnceArgs, IncrementShardOnceResult> = {
  class: "dedupable",
  name: "counter.incrementShardOnce",
  sha1: "0954901631e4bcd4af60405e8ef41faad5660618",
  lua: `-- counter.incrementShardOnce
${ADD}local counter, receipt = KEYS[1], KEYS[2]
local by, ttlMs, receiptTtlMs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local leftMs = redis.call('PTTL', counter)
if redis.call('EXISTS', receipt) == 1 then return {'ok', leftMs} end
if add(counter, by, -MAX_VALUE, MAX_VALUE, ttlMs, true)[1] ~= 'ok' then return 'limit' end
redis.call('SET', receipt, 1, 'PX', receiptTtlMs)
return {'ok', leftMs}
`,
  encodeKeys(keys, out) {
    out.push(keys.counter, keys.receipt);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("by", args.by), encodeInt("ttlMs", args.ttlMs), encodeInt("receiptTtlMs", args.receiptTtlMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", leftMs: decodeInt(fields[1]) };
      case "limit":
        expectFields(fields, 0);
        return { status: "limit" };
      default:
        throw new UnexpectedReplyError("one of ok, limit", reply);
    }
  },
  merged: {
    name: "counter.incrementShardOnce (merged)",
    sha1: "ac680a4e94ace420bede0e0e9a3a245ef9233409",
    lua: `-- counter.incrementShardOnce
${ADD}local function run(keyAt, argAt)
  local counter, receipt = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local by, ttlMs, receiptTtlMs = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3])
  local leftMs = redis.call('PTTL', counter)
  if redis.call('EXISTS', receipt) == 1 then return {'ok', leftMs} end
  if add(counter, by, -MAX_VALUE, MAX_VALUE, ttlMs, true)[1] ~= 'ok' then return 'limit' end
  redis.call('SET', receipt, 1, 'PX', receiptTtlMs)
  return {'ok', leftMs}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 3 and 3 or 0
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

export interface IncrementShardKeys {
  readonly counter: Arg;
}

export interface IncrementShardArgs {
  readonly by: number;
  readonly ttlMs: number;
}

export type IncrementShardResult =
  | { readonly status: "ok"; readonly leftMs: number }
  | { readonly status: "limit" };

/** Adds to one of the keys of a counter; returns how long that one had left (ms, -2 if it was not there), so that the caller keeps the others too. */
export const incrementShard: BatchScript<IncrementShardKeys, IncrementShardArgs, IncrementShardResult> = {
  class: "unsafe",
  name: "counter.incrementShard",
  sha1: "b3c5e7f752951a8d1af6055e6d53346221e48383",
  lua: `-- counter.incrementShard
${ADD}local counter = KEYS[1]
local by, ttlMs = tonumber(ARGV[1]), tonumber(ARGV[2])
local leftMs = redis.call('PTTL', counter)
if add(counter, by, -MAX_VALUE, MAX_VALUE, ttlMs, true)[1] ~= 'ok' then return 'limit' end
return {'ok', leftMs}
`,
  encodeKeys(keys, out) {
    out.push(keys.counter);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("by", args.by), encodeInt("ttlMs", args.ttlMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", leftMs: decodeInt(fields[1]) };
      case "limit":
        expectFields(fields, 0);
        return { status: "limit" };
      default:
        throw new UnexpectedReplyError("one of ok, limit", reply);
    }
  },
  merged: {
    name: "counter.incrementShard (merged)",
    sha1: "7ecb395ea22e13bfa5b88e6d016c3ae617b09f92",
    lua: `-- counter.incrementShard
${ADD}local function run(keyAt, argAt)
  local counter = KEYS[keyAt + 1]
  local by, ttlMs = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2])
  local leftMs = redis.call('PTTL', counter)
  if add(counter, by, -MAX_VALUE, MAX_VALUE, ttlMs, true)[1] ~= 'ok' then return 'limit' end
  return {'ok', leftMs}
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
