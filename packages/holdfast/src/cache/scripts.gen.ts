// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeBytes, decodeInt, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeInt } from "../core/script/encode.ts";
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

const SEQUENCE = `local function nextSequence(last)
  local sequence = math.floor(nowMicros() / 10)
  if last and tonumber(last) >= sequence then sequence = tonumber(last) + 1 end
  return sequence, string.format('%.0f', sequence)
end
local function keepState(state, isNew, keepMs)
  if isNew then redis.call('PEXPIRE', state, keepMs) else redis.call('PEXPIRE', state, keepMs, 'XX') end
end
`;

const TAKEN = `local REFUSALS = { OOM = true, MISCONF = true, NOREPLICAS = true }
local function taken(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then return true end
  if REFUSALS[string.match(reply.err, '^-?(%u+)')] then return false, reply.err end
  redis.call(...)
end
`;

const ENTRY = `local function untilOf(freshMs)
  return struct.pack('>I6', freshMs < 0 and 281474976710655 or now() + freshMs)
end
local function store(value, head, payload, freshMs, keepMs)
  local entry = string.sub(head, 1, 1) .. untilOf(freshMs) .. string.sub(head, 2) .. payload
  if keepMs < 0 then redis.call('SET', value, entry) else redis.call('SET', value, entry, 'PX', keepMs) end
end
local function hasGrace(stored)
  return #stored > 7 and math.floor(string.byte(stored) / 16) % 2 == 1
end
local function isOver(stored)
  return hasGrace(stored) and struct.unpack('>I6', stored, 2) <= now()
end
`;

const SERVED = `local function headOf(value)
  local head = redis.pcall('GETRANGE', value, 0, 16)
  if type(head) ~= 'string' or #head < 14 or string.byte(head) % 16 ~= 2 or string.byte(head) >= 64 then return '' end
  if string.byte(head) < 32 then return string.sub(head, 1, 15) end
  return redis.call('GETRANGE', value, 0, 16 + struct.unpack('>I2', head, 14))
end
local function isServed(head)
  if head == '' or isOver(head) then return false end
  return not (string.byte(head, -2) == 249 and string.byte(head, -1) % 16 == 15)
end
`;

const SUPERSEDE = `local function supersede(value, lease, wakeChannel)
  local waiters = redis.call('HGET', lease, 'waiters')
  redis.call('DEL', lease)
  if waiters then redis.call('PUBLISH', wakeChannel, value) end
end
`;

const ID_INDEX = `local function unindex(value, ids, ends, id)
  if ids == value then return end
  redis.call('ZREM', ids, id)
  redis.call('ZREM', ends, id)
end
local function index(value, ids, ends, id, keepMs)
  if ids == value then return end
  local leftMs = redis.call('PTTL', ids)
  redis.call('ZADD', ids, 0, id)
  redis.call('ZADD', ends, keepMs < 0 and 'inf' or now() + keepMs, id)
  for _, over in ipairs(redis.call('ZRANGE', ends, '-inf', now() - 1, 'BYSCORE', 'LIMIT', 0, 2)) do
    unindex(value, ids, ends, over)
  end
  if keepMs < 0 then
    redis.call('PERSIST', ids)
    redis.call('PERSIST', ends)
  elseif leftMs == -2 or (leftMs >= 0 and leftMs < keepMs) then
    redis.call('PEXPIRE', ids, keepMs)
    redis.call('PEXPIRE', ends, keepMs)
  end
end
`;

export interface AbandonKeys {
  readonly value: Arg;
  readonly lease: Arg;
}

export interface AbandonArgs {
  readonly token: string;
  readonly wakeChannel: string;
}

export type AbandonResult =
  | { readonly status: "abandoned" }
  | { readonly status: "superseded" };

/** Give the right to load back without a value, so that a waiter can try. */
export const abandon: BatchScript<AbandonKeys, AbandonArgs, AbandonResult> = {
  class: "idempotent",
  name: "cache.abandon",
  sha1: "a3d41e01734c22633b33810a6ee3ea8d702dfee1",
  lua: `-- cache.abandon
local value, lease = KEYS[1], KEYS[2]
local token, wakeChannel = ARGV[1], ARGV[2]
local state = redis.call('HMGET', lease, 'token', 'waiters')
if state[1] ~= token then return {'superseded'} end
redis.call('DEL', lease)
if state[2] then redis.call('PUBLISH', wakeChannel, value) end
return {'abandoned'}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(args.token, args.wakeChannel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "abandoned":
        expectFields(fields, 0);
        return { status: "abandoned" };
      case "superseded":
        expectFields(fields, 0);
        return { status: "superseded" };
      default:
        throw new UnexpectedReplyError("one of abandoned, superseded", reply);
    }
  },
  most: 64,
  merged: {
    name: "cache.abandon (merged)",
    sha1: "adafb1cb3751909ccd0023b8d837c365fa65b39e",
    lua: `-- cache.abandon
local function run(keyAt, argAt)
  local value, lease = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local token, wakeChannel = ARGV[argAt + 1], ARGV[argAt + 2]
  local state = redis.call('HMGET', lease, 'token', 'waiters')
  if state[1] ~= token then return {'superseded'} end
  redis.call('DEL', lease)
  if state[2] then redis.call('PUBLISH', wakeChannel, value) end
  return {'abandoned'}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 2 and 2 or 0
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

export interface BeginKeys {
  readonly state: Arg;
}

export interface BeginArgs {
  readonly keepMs: number;
}

export type BeginResult =
  | { readonly status: "ok"; readonly sequence: number; readonly cleared: number; readonly floor: number };

/** Read the state of a cache (see invalidate.lua), or begin it: whatever is stored already is invalid then, as it may have been invalidated before the state was lost. */
export const begin: Script<BeginKeys, BeginArgs, BeginResult> = {
  class: "idempotent",
  name: "cache.begin",
  sha1: "a48d03aa3e625f7e82bcbc8520c9bb524507f88f",
  lua: `-- cache.begin
${NOW}${SEQUENCE}local state = KEYS[1]
local keepMs = tonumber(ARGV[1])
local known = redis.call('ZMSCORE', state, 's', 'c', 'f')
local isNew = not known[1]
if isNew then
  local _, text = nextSequence()
  redis.call('ZADD', state, text, 's', text, 'c')
  known = { text, text }
end
keepState(state, isNew, keepMs)
return {'ok', tonumber(known[1]), tonumber(known[2]), tonumber(known[3] or 0)}
`,
  encodeKeys(keys, out) {
    out.push(keys.state);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("keepMs", args.keepMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 3);
        return { status: "ok", sequence: decodeInt(fields[1]), cleared: decodeInt(fields[2]), floor: decodeInt(fields[3]) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface ClearPrefixKeys {
  readonly state: Arg;
  readonly prefixes: Arg;
}

export interface ClearPrefixArgs {
  readonly keepMs: number;
  /** prefixes that are known at most */
  readonly max: number;
  readonly prefix: Arg;
}

export type ClearPrefixResult =
  | { readonly status: "cleared"; readonly before: number; readonly sequence: number; readonly cleared: number; readonly floor: number }
  | { readonly status: "lost" };

/**
 * Invalidate all entries of a cache whose ids begin with a prefix, whatever their number. What is stored from now on has a greater sequence.
 * `prefixes` has each prefix by the sequence of its last clearing, and the state (see invalidate.lua) the greatest of these as `p`: where the one is missing
 * without the other, it was evicted, and all that is older counts as cleared. So does what is older than a prefix that is forgotten.
 */
export const clearPrefix: Script<ClearPrefixKeys, ClearPrefixArgs, ClearPrefixResult> = {
  class: "idempotent",
  name: "cache.clearPrefix",
  sha1: "2647f60a12ba0939ecc49e8fd5c4cae2e6313f77",
  lua: `-- cache.clearPrefix
${NOW}${TAKEN}${SEQUENCE}local state, prefixes = KEYS[1], KEYS[2]
local keepMs, max, prefix = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local known = redis.call('ZMSCORE', state, 's', 'c', 'f')
local sequence, text = nextSequence(known[1])
local cleared = known[2] or text
if not taken('ZADD', state, text, 's', cleared, 'c', text, 'p') or not taken('ZADD', prefixes, text, prefix) then
  redis.call('DEL', state, prefixes)
  return {'lost'}
end
local excess = redis.call('ZCARD', prefixes) - max
if excess > 0 then
  local gone = redis.call('ZPOPMIN', prefixes, excess + math.floor(max / 10))
  if tonumber(gone[#gone]) > tonumber(cleared) then cleared = gone[#gone] end
  redis.call('ZADD', state, cleared, 'c')
end
keepState(state, not known[1], keepMs)
local leftMs = redis.call('PTTL', state)
if leftMs < 0 then redis.call('PERSIST', prefixes) else redis.call('PEXPIRE', prefixes, leftMs) end
return {'cleared', tonumber(known[1] or 0), sequence, tonumber(cleared), tonumber(known[3] or 0)}
`,
  encodeKeys(keys, out) {
    out.push(keys.state, keys.prefixes);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("keepMs", args.keepMs), encodeInt("max", args.max), args.prefix);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "cleared":
        expectFields(fields, 4);
        return { status: "cleared", before: decodeInt(fields[1]), sequence: decodeInt(fields[2]), cleared: decodeInt(fields[3]), floor: decodeInt(fields[4]) };
      case "lost":
        expectFields(fields, 0);
        return { status: "lost" };
      default:
        throw new UnexpectedReplyError("one of cleared, lost", reply);
    }
  },
};

export interface ExpireKeys {
  readonly value: Arg;
  readonly lease: Arg;
}

export interface ExpireArgs {
  readonly wakeChannel: string;
  /** of an entry that was to be kept for ever */
  readonly graceMs: number;
}

export type ExpireResult =
  | { readonly status: "expired"; readonly head: Buffer }
  | { readonly status: "missing" };

/** End an entry's time, but keep it for its grace; one that has none is removed. Supersedes any load under way. */
export const expire: BatchScript<ExpireKeys, ExpireArgs, ExpireResult> = {
  class: "idempotent",
  name: "cache.expire",
  sha1: "2ae3b0e3f62b92d797af9d71dc1cd712208ab24b",
  lua: `-- cache.expire
${NOW}${ENTRY}${SERVED}${SUPERSEDE}local value, lease = KEYS[1], KEYS[2]
local wakeChannel, graceMs = ARGV[1], tonumber(ARGV[2])
local CLOCK_ERROR_MS = 1000
supersede(value, lease, wakeChannel)
local head = headOf(value)
local served = isServed(head)
local keptMs = redis.call('PTTL', value)
if not hasGrace(head) or (keptMs == -1 and graceMs == 0) then
  redis.call('DEL', value)
elseif not isOver(head) then
  if keptMs == -1 then redis.call('PEXPIRE', value, graceMs) end
  redis.call('SETRANGE', value, 1, struct.pack('>I6', now() - CLOCK_ERROR_MS))
end
if served then return {'expired', head} end
return {'missing'}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(args.wakeChannel, encodeInt("graceMs", args.graceMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "expired":
        expectFields(fields, 1);
        return { status: "expired", head: decodeBytes(fields[1]) };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of expired, missing", reply);
    }
  },
  most: 64,
  merged: {
    name: "cache.expire (merged)",
    sha1: "c2f8df6db4ae3fff285efcf9f08c24249c7b7f32",
    lua: `-- cache.expire
${NOW}${ENTRY}${SERVED}${SUPERSEDE}local function run(keyAt, argAt)
  local value, lease = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local wakeChannel, graceMs = ARGV[argAt + 1], tonumber(ARGV[argAt + 2])
  local CLOCK_ERROR_MS = 1000
  supersede(value, lease, wakeChannel)
  local head = headOf(value)
  local served = isServed(head)
  local keptMs = redis.call('PTTL', value)
  if not hasGrace(head) or (keptMs == -1 and graceMs == 0) then
    redis.call('DEL', value)
  elseif not isOver(head) then
    if keptMs == -1 then redis.call('PEXPIRE', value, graceMs) end
    redis.call('SETRANGE', value, 1, struct.pack('>I6', now() - CLOCK_ERROR_MS))
  end
  if served then return {'expired', head} end
  return {'missing'}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 2 and 2 or 0
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

export interface ExtendKeys {
  readonly lease: Arg;
}

export interface ExtendArgs {
  readonly token: string;
  readonly leaseMs: number;
}

export type ExtendResult =
  | { readonly status: "extended" }
  | { readonly status: "superseded" };

/** Keep the right to load while the load runs. Never creates it: a delete in between has removed it. */
export const extend: BatchScript<ExtendKeys, ExtendArgs, ExtendResult> = {
  class: "idempotent",
  name: "cache.extend",
  sha1: "9b76bdd564ecaadee1f761cd332053221f8b54c4",
  lua: `-- cache.extend
local lease = KEYS[1]
local token, leaseMs = ARGV[1], tonumber(ARGV[2])
if redis.call('HGET', lease, 'token') ~= token then return {'superseded'} end
redis.call('PEXPIRE', lease, leaseMs)
return {'extended'}
`,
  encodeKeys(keys, out) {
    out.push(keys.lease);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("leaseMs", args.leaseMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "extended":
        expectFields(fields, 0);
        return { status: "extended" };
      case "superseded":
        expectFields(fields, 0);
        return { status: "superseded" };
      default:
        throw new UnexpectedReplyError("one of extended, superseded", reply);
    }
  },
  most: 64,
  merged: {
    name: "cache.extend (merged)",
    sha1: "cb3346ece5f89028d805d699c991c3f141473756",
    lua: `-- cache.extend
local function run(keyAt, argAt)
  local lease = KEYS[keyAt + 1]
  local token, leaseMs = ARGV[argAt + 1], tonumber(ARGV[argAt + 2])
  if redis.call('HGET', lease, 'token') ~= token then return {'superseded'} end
  redis.call('PEXPIRE', lease, leaseMs)
  return {'extended'}
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

export interface FillKeys {
  readonly value: Arg;
  readonly lease: Arg;
  readonly ids: Arg;
  readonly ends: Arg;
}

export interface FillArgs {
  readonly token: string;
  /** below 0: for ever */
  readonly freshMs: number;
  /** freshMs and the grace */
  readonly keepMs: number;
  readonly wakeChannel: string;
  /** for the index */
  readonly id: string;
  /** see entry.ts, without the time */
  readonly head: Arg;
  readonly payload: Arg;
}

export type FillResult =
  | { readonly status: "filled" }
  | { readonly status: "superseded" };

/** Store what was loaded, if the right to load was not taken away meanwhile: the compare-and-set against stale values. */
export const fill: BatchScript<FillKeys, FillArgs, FillResult> = {
  class: "idempotent",
  name: "cache.fill",
  sha1: "45d28609f9f3bd1aa6a99031fca20166f65936a6",
  lua: `-- cache.fill
${NOW}${ENTRY}${ID_INDEX}local value, lease, ids, ends = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local token, freshMs, keepMs, wakeChannel, id, head, payload = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local state = redis.call('HMGET', lease, 'token', 'waiters')
if state[1] ~= token then return {'superseded'} end
index(value, ids, ends, id, keepMs)
store(value, head, payload, freshMs, keepMs)
redis.call('DEL', lease)
if state[2] then redis.call('PUBLISH', wakeChannel, value) end
return {'filled'}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease, keys.ids, keys.ends);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("freshMs", args.freshMs), encodeInt("keepMs", args.keepMs), args.wakeChannel, args.id, args.head, args.payload);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "filled":
        expectFields(fields, 0);
        return { status: "filled" };
      case "superseded":
        expectFields(fields, 0);
        return { status: "superseded" };
      default:
        throw new UnexpectedReplyError("one of filled, superseded", reply);
    }
  },
  most: 64,
  merged: {
    name: "cache.fill (merged)",
    sha1: "97d55650407349383f34f02edb6401e14f1954d8",
    lua: `-- cache.fill
${NOW}${ENTRY}${ID_INDEX}local function run(keyAt, argAt)
  local value, lease, ids, ends = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3], KEYS[keyAt + 4]
  local token, freshMs, keepMs, wakeChannel, id, head, payload = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), ARGV[argAt + 4], ARGV[argAt + 5], ARGV[argAt + 6], ARGV[argAt + 7]
  local state = redis.call('HMGET', lease, 'token', 'waiters')
  if state[1] ~= token then return {'superseded'} end
  index(value, ids, ends, id, keepMs)
  store(value, head, payload, freshMs, keepMs)
  redis.call('DEL', lease)
  if state[2] then redis.call('PUBLISH', wakeChannel, value) end
  return {'filled'}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 7 and 7 or 0
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

export interface ForgetKeys {
  readonly value: Arg;
  readonly ids: Arg;
  readonly ends: Arg;
}

export interface ForgetArgs {
  readonly id: string;
  /** how the invalid entry begins; empty: there was none */
  readonly mark: Arg;
}

export type ForgetResult = boolean;

/** Drop an id from the index whose entry is gone, and the entry with it if it is the one that was found invalid. */
export const forget: BatchScript<ForgetKeys, ForgetArgs, ForgetResult> = {
  class: "idempotent",
  name: "cache.forget",
  sha1: "72eb14a622e54734c866e2459e12533b71470ca3",
  lua: `-- cache.forget
${NOW}${ID_INDEX}local value, ids, ends = KEYS[1], KEYS[2], KEYS[3]
local id, mark = ARGV[1], ARGV[2]
if mark ~= '' and redis.call('GETRANGE', value, 0, #mark - 1) == mark then redis.call('DEL', value) end
if redis.call('EXISTS', value) == 1 then return 0 end
unindex(value, ids, ends, id)
return 1
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.ids, keys.ends);
  },
  encodeArgs(args, out) {
    out.push(args.id, args.mark);
  },
  decode(reply) {
    return decodeBool(reply);
  },
  most: 64,
  merged: {
    name: "cache.forget (merged)",
    sha1: "911a1421a2009ea4ee5fb69a1a423877e0fe1731",
    lua: `-- cache.forget
${NOW}${ID_INDEX}local function run(keyAt, argAt)
  local value, ids, ends = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3]
  local id, mark = ARGV[argAt + 1], ARGV[argAt + 2]
  if mark ~= '' and redis.call('GETRANGE', value, 0, #mark - 1) == mark then redis.call('DEL', value) end
  if redis.call('EXISTS', value) == 1 then return 0 end
  unindex(value, ids, ends, id)
  return 1
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 2 and 2 or 0
for keyAt = 0, #KEYS - 1, 3 do
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

export interface InvalidateKeys {
  readonly state: Arg;
}

export interface InvalidateArgs {
  /** how long the state outlives its last use */
  readonly keepMs: number;
  /** tags that are known at most */
  readonly max: number;
  /** none: all entries */
  readonly tags: readonly Arg[];
}

export type InvalidateResult =
  | { readonly status: "invalidated"; readonly before: number; readonly sequence: number; readonly cleared: number; readonly floor: number }
  | { readonly status: "lost" };

/**
 * Invalidate all entries of a cache that have one of these tags, or all of them. What is stored from now on has a greater sequence.
 * The state of a cache is one sorted set: `s` the sequence, `c` that of the last clearing, `f` the one below which no tag is known any more,
 * `t<tag>` that of the tag's last invalidation, `p` that of the last clearing of a prefix (clear-prefix.lua).
 * `lost`: memory is full, so that the state is forgotten instead, and every entry is invalid.
 */
export const invalidate: Script<InvalidateKeys, InvalidateArgs, InvalidateResult> = {
  class: "idempotent",
  name: "cache.invalidate",
  sha1: "046d4668cb276b4fa661f6d0992c639a6a32cc94",
  lua: `-- cache.invalidate
${NOW}${TAKEN}${SEQUENCE}local state = KEYS[1]
local keepMs, max = tonumber(ARGV[1]), tonumber(ARGV[2])
local tags = {}
for i = 3, #ARGV do tags[i - 2] = ARGV[i] end
local known = redis.call('ZMSCORE', state, 's', 'c', 'f')
local sequence, text = nextSequence(known[1])
local cleared, floor = tonumber(known[2] or text), tonumber(known[3] or 0)
if #tags == 0 then cleared = sequence end
local scored = { text, 's', string.format('%.0f', cleared), 'c' }
for _, tag in ipairs(tags) do
  table.insert(scored, text)
  table.insert(scored, 't' .. tag)
end
if not taken('ZADD', state, unpack(scored)) then
  redis.call('DEL', state)
  return {'lost'}
end
local excess = redis.call('ZCARD', state) - max - 4
if excess > 0 then
  for _, member in ipairs(redis.call('ZRANGE', state, 0, math.min(excess + max / 10, 1000) + 3)) do
    if string.sub(member, 1, 1) == 't' then
      local score = tonumber(redis.call('ZSCORE', state, member))
      if score < sequence then
        floor = math.max(floor, score)
        redis.call('ZREM', state, member)
      end
    end
  end
  redis.call('ZADD', state, string.format('%.0f', floor), 'f')
end
keepState(state, not known[1], keepMs)
return {'invalidated', tonumber(known[1] or 0), sequence, cleared, floor}
`,
  encodeKeys(keys, out) {
    out.push(keys.state);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("keepMs", args.keepMs), encodeInt("max", args.max));
    for (const each of args.tags) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "invalidated":
        expectFields(fields, 4);
        return { status: "invalidated", before: decodeInt(fields[1]), sequence: decodeInt(fields[2]), cleared: decodeInt(fields[3]), floor: decodeInt(fields[4]) };
      case "lost":
        expectFields(fields, 0);
        return { status: "lost" };
      default:
        throw new UnexpectedReplyError("one of invalidated, lost", reply);
    }
  },
};

export interface LookupKeys {
  readonly value: Arg;
  readonly lease: Arg;
}

export interface LookupArgs {
  readonly flight: string;
  readonly attempt: number;
  readonly leaseMs: number;
  /** how the entry begins that the caller has found; none: any */
  readonly known: Arg;
  /** whether that is of no use to the caller, also if its time is not over */
  readonly reload: boolean;
}

export type LookupResult =
  | { readonly status: "hit"; readonly value: Buffer }
  | { readonly status: "leased" }
  | { readonly status: "wait"; readonly leaseMs: number }
  | { readonly status: "refused"; readonly reason: string };

/**
 * Read the value, or take the right to load it: of all callers that miss, one gets `leased`, the others `wait`.
 * The token lives beside the value, not in it, and whoever deletes the value deletes the token with it.
 * An attempt whose answer was lost may be carried out late, after an invalidation. So each attempt of a flight has a number of its own, which is
 * part of the token: a later one takes over from an earlier one, and what the late one takes is no right of the flight's.
 * `refused`: a server that takes no writes for the moment can give nobody the right.
 */
export const lookup: BatchScript<LookupKeys, LookupArgs, LookupResult> = {
  class: "unsafe",
  name: "cache.lookup",
  sha1: "c89bda064a6a99b7a663cf9709b59487d91202f2",
  lua: `-- cache.lookup
${TAKEN}${NOW}${ENTRY}local value, lease = KEYS[1], KEYS[2]
local flight, attempt, leaseMs, known, reload = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5] == '1'
local found = redis.pcall('GET', value)
if type(found) == 'string' then
  local isKnown = known ~= '' and string.sub(found, 1, #known) == known
  local isNoUse = reload and (isKnown or known == '')
  if not isNoUse and not isOver(found) then return {'hit', found} end
elseif found and string.sub(found.err, 1, 9) ~= 'WRONGTYPE' then
  return found
end
local holder = redis.call('HGET', lease, 'token')
if holder then
  local holding, before = string.match(holder, '^(.*)%.(%d+)$')
  if holding ~= flight or tonumber(before) > attempt then
    local noted, reason = taken('HDEL', lease, 'waiters')
    if not noted then return {'refused', reason} end
    redis.call('HSET', lease, 'waiters', 1)
    return {'wait', redis.call('PTTL', lease)}
  end
end
local granted, reason = taken('HSET', lease, 'token', flight .. '.' .. attempt)
if not granted then return {'refused', reason} end
redis.call('PEXPIRE', lease, leaseMs)
return {'leased'}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(args.flight, encodeInt("attempt", args.attempt), encodeInt("leaseMs", args.leaseMs), args.known, encodeBool(args.reload));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "hit":
        expectFields(fields, 1);
        return { status: "hit", value: decodeBytes(fields[1]) };
      case "leased":
        expectFields(fields, 0);
        return { status: "leased" };
      case "wait":
        expectFields(fields, 1);
        return { status: "wait", leaseMs: decodeInt(fields[1]) };
      case "refused":
        expectFields(fields, 1);
        return { status: "refused", reason: decodeText(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of hit, leased, wait, refused", reply);
    }
  },
  most: 64,
  merged: {
    name: "cache.lookup (merged)",
    sha1: "bf0f9cdc10d4a78176889f04f4113921debd1294",
    lua: `-- cache.lookup
${TAKEN}${NOW}${ENTRY}local function run(keyAt, argAt)
  local value, lease = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local flight, attempt, leaseMs, known, reload = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), ARGV[argAt + 4], ARGV[argAt + 5] == '1'
  local found = redis.pcall('GET', value)
  if type(found) == 'string' then
    local isKnown = known ~= '' and string.sub(found, 1, #known) == known
    local isNoUse = reload and (isKnown or known == '')
    if not isNoUse and not isOver(found) then return {'hit', found} end
  elseif found and string.sub(found.err, 1, 9) ~= 'WRONGTYPE' then
    return found
  end
  local holder = redis.call('HGET', lease, 'token')
  if holder then
    local holding, before = string.match(holder, '^(.*)%.(%d+)$')
    if holding ~= flight or tonumber(before) > attempt then
      local noted, reason = taken('HDEL', lease, 'waiters')
      if not noted then return {'refused', reason} end
      redis.call('HSET', lease, 'waiters', 1)
      return {'wait', redis.call('PTTL', lease)}
    end
  end
  local granted, reason = taken('HSET', lease, 'token', flight .. '.' .. attempt)
  if not granted then return {'refused', reason} end
  redis.call('PEXPIRE', lease, leaseMs)
  return {'leased'}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 5 and 5 or 0
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

export interface RemoveKeys {
  readonly value: Arg;
  readonly lease: Arg;
  readonly ids: Arg;
  readonly ends: Arg;
}

export interface RemoveArgs {
  readonly wakeChannel: string;
  /** for the index */
  readonly id: string;
}

export type RemoveResult =
  | { readonly status: "removed"; readonly head: Buffer }
  | { readonly status: "missing" };

/** Remove a value and supersede any load under way: what it read may be what is being deleted. */
export const remove: BatchScript<RemoveKeys, RemoveArgs, RemoveResult> = {
  class: "idempotent",
  name: "cache.remove",
  sha1: "06299e754eb9fa78a4d386d753d70305f07068f4",
  lua: `-- cache.remove
${NOW}${ENTRY}${SERVED}${SUPERSEDE}${ID_INDEX}local value, lease, ids, ends = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local wakeChannel, id = ARGV[1], ARGV[2]
local head = headOf(value)
redis.call('DEL', value)
unindex(value, ids, ends, id)
supersede(value, lease, wakeChannel)
if isServed(head) then return {'removed', head} end
return {'missing'}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease, keys.ids, keys.ends);
  },
  encodeArgs(args, out) {
    out.push(args.wakeChannel, args.id);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "removed":
        expectFields(fields, 1);
        return { status: "removed", head: decodeBytes(fields[1]) };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of removed, missing", reply);
    }
  },
  most: 64,
  merged: {
    name: "cache.remove (merged)",
    sha1: "182a777d46b754303706d5f63555611e441d5391",
    lua: `-- cache.remove
${NOW}${ENTRY}${SERVED}${SUPERSEDE}${ID_INDEX}local function run(keyAt, argAt)
  local value, lease, ids, ends = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3], KEYS[keyAt + 4]
  local wakeChannel, id = ARGV[argAt + 1], ARGV[argAt + 2]
  local head = headOf(value)
  redis.call('DEL', value)
  unindex(value, ids, ends, id)
  supersede(value, lease, wakeChannel)
  if isServed(head) then return {'removed', head} end
  return {'missing'}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 2 and 2 or 0
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

export interface RenewKeys {
  readonly value: Arg;
  readonly lease: Arg;
  readonly ids: Arg;
  readonly ends: Arg;
}

export interface RenewArgs {
  readonly token: string;
  /** of the entry as the loader knows it; another one is left as it is */
  readonly head: Arg;
  /** below 0: for ever */
  readonly freshMs: number;
  /** 0: as long as it would have been kept */
  readonly keepMs: number;
  /** see entry.ts */
  readonly sequence: Arg;
  readonly wakeChannel: string;
  /** for the index */
  readonly id: string;
}

export type RenewResult =
  | { readonly status: "renewed" }
  | { readonly status: "superseded" };

/** Serve an entry for some time more, with the right to load, which is given back: its load has failed, or found nothing new. */
export const renew: BatchScript<RenewKeys, RenewArgs, RenewResult> = {
  class: "idempotent",
  name: "cache.renew",
  sha1: "d5e43a75b73bfd9212b8b5468414b1df8ddb3fff",
  lua: `-- cache.renew
${NOW}${ENTRY}${ID_INDEX}local value, lease, ids, ends = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local token, head, freshMs, keepMs, sequence, wakeChannel, id = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6], ARGV[7]
local state = redis.call('HMGET', lease, 'token', 'waiters')
if state[1] ~= token then return {'superseded'} end
redis.call('DEL', lease)
if state[2] then redis.call('PUBLISH', wakeChannel, value) end
if redis.call('GETRANGE', value, 0, #head - 1) ~= head then return {'superseded'} end
redis.call('SETRANGE', value, 1, untilOf(freshMs) .. sequence)
if keepMs ~= 0 then index(value, ids, ends, id, keepMs) end
if keepMs > 0 then redis.call('PEXPIRE', value, keepMs) elseif keepMs < 0 then redis.call('PERSIST', value) end
return {'renewed'}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease, keys.ids, keys.ends);
  },
  encodeArgs(args, out) {
    out.push(args.token, args.head, encodeInt("freshMs", args.freshMs), encodeInt("keepMs", args.keepMs), args.sequence, args.wakeChannel, args.id);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "renewed":
        expectFields(fields, 0);
        return { status: "renewed" };
      case "superseded":
        expectFields(fields, 0);
        return { status: "superseded" };
      default:
        throw new UnexpectedReplyError("one of renewed, superseded", reply);
    }
  },
  most: 64,
  merged: {
    name: "cache.renew (merged)",
    sha1: "b1217c536676f147c33f7fbb1f8e4783924ca69c",
    lua: `-- cache.renew
${NOW}${ENTRY}${ID_INDEX}local function run(keyAt, argAt)
  local value, lease, ids, ends = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3], KEYS[keyAt + 4]
  local token, head, freshMs, keepMs, sequence, wakeChannel, id = ARGV[argAt + 1], ARGV[argAt + 2], tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), ARGV[argAt + 5], ARGV[argAt + 6], ARGV[argAt + 7]
  local state = redis.call('HMGET', lease, 'token', 'waiters')
  if state[1] ~= token then return {'superseded'} end
  redis.call('DEL', lease)
  if state[2] then redis.call('PUBLISH', wakeChannel, value) end
  if redis.call('GETRANGE', value, 0, #head - 1) ~= head then return {'superseded'} end
  redis.call('SETRANGE', value, 1, untilOf(freshMs) .. sequence)
  if keepMs ~= 0 then index(value, ids, ends, id, keepMs) end
  if keepMs > 0 then redis.call('PEXPIRE', value, keepMs) elseif keepMs < 0 then redis.call('PERSIST', value) end
  return {'renewed'}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 7 and 7 or 0
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

export interface RestampKeys {
  readonly value: Arg;
}

export interface RestampArgs {
  /** of the entry as it was stored, from its sequence on */
  readonly head: Arg;
  readonly sequence: Arg;
}

export type RestampResult = boolean;

/** Move an entry behind an invalidation that came while it was being stored. */
export const restamp: BatchScript<RestampKeys, RestampArgs, RestampResult> = {
  class: "idempotent",
  name: "cache.restamp",
  sha1: "9681998d8aee578f35ea581d34dfe6b03e2d2f4a",
  lua: `-- cache.restamp
local value = KEYS[1]
local head, sequence = ARGV[1], ARGV[2]
if redis.call('GETRANGE', value, 7, 6 + #head) ~= head then return 0 end
redis.call('SETRANGE', value, 7, sequence)
return 1
`,
  encodeKeys(keys, out) {
    out.push(keys.value);
  },
  encodeArgs(args, out) {
    out.push(args.head, args.sequence);
  },
  decode(reply) {
    return decodeBool(reply);
  },
  most: 64,
  merged: {
    name: "cache.restamp (merged)",
    sha1: "e26d7f38d16d9c87a75e203b227375396df15fbc",
    lua: `-- cache.restamp
local function run(keyAt, argAt)
  local value = KEYS[keyAt + 1]
  local head, sequence = ARGV[argAt + 1], ARGV[argAt + 2]
  if redis.call('GETRANGE', value, 7, 6 + #head) ~= head then return 0 end
  redis.call('SETRANGE', value, 7, sequence)
  return 1
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

export interface SetKeys {
  readonly value: Arg;
  readonly lease: Arg;
  readonly ids: Arg;
  readonly ends: Arg;
}

export interface SetArgs {
  /** below 0: for ever */
  readonly freshMs: number;
  /** freshMs and the grace */
  readonly keepMs: number;
  readonly wakeChannel: string;
  /** for the index */
  readonly id: string;
  /** see entry.ts, without the time */
  readonly head: Arg;
  readonly payload: Arg;
  /** absent or present, if what there is decides; empty if not */
  readonly only: string;
  /** how an entry begins that counts as none, as it is invalid */
  readonly known: Arg;
}

export type SetResult =
  | { readonly status: "stored" }
  | { readonly status: "absent" }
  | { readonly status: "present"; readonly value: Buffer };

/** Store a value and supersede any load under way, whose result would be older. */
export const set: BatchScript<SetKeys, SetArgs, SetResult> = {
  class: "idempotent",
  name: "cache.set",
  sha1: "0e3ed68cc9cd6241c36e9e2fd3fe4b5bcfb9941e",
  lua: `-- cache.set
${NOW}${ENTRY}${SUPERSEDE}${ID_INDEX}local value, lease, ids, ends = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local freshMs, keepMs, wakeChannel, id, head, payload, only, known = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
if only ~= '' then
  local found = redis.pcall('GET', value)
  local isThere = type(found) == 'string' and not isOver(found) and (known == '' or string.sub(found, 1, #known) ~= known)
  if only == 'present' and not isThere then return {'absent'} end
  if only == 'absent' and isThere and string.sub(found, 8) ~= string.sub(head, 2) .. payload then return {'present', found} end
end
index(value, ids, ends, id, keepMs)
store(value, head, payload, freshMs, keepMs)
supersede(value, lease, wakeChannel)
return {'stored'}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease, keys.ids, keys.ends);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("freshMs", args.freshMs), encodeInt("keepMs", args.keepMs), args.wakeChannel, args.id, args.head, args.payload, args.only, args.known);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "stored":
        expectFields(fields, 0);
        return { status: "stored" };
      case "absent":
        expectFields(fields, 0);
        return { status: "absent" };
      case "present":
        expectFields(fields, 1);
        return { status: "present", value: decodeBytes(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of stored, absent, present", reply);
    }
  },
  most: 64,
  merged: {
    name: "cache.set (merged)",
    sha1: "f3f5eb7b3afb325a67351c30480b74ee96708a20",
    lua: `-- cache.set
${NOW}${ENTRY}${SUPERSEDE}${ID_INDEX}local function run(keyAt, argAt)
  local value, lease, ids, ends = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3], KEYS[keyAt + 4]
  local freshMs, keepMs, wakeChannel, id, head, payload, only, known = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2]), ARGV[argAt + 3], ARGV[argAt + 4], ARGV[argAt + 5], ARGV[argAt + 6], ARGV[argAt + 7], ARGV[argAt + 8]
  if only ~= '' then
    local found = redis.pcall('GET', value)
    local isThere = type(found) == 'string' and not isOver(found) and (known == '' or string.sub(found, 1, #known) ~= known)
    if only == 'present' and not isThere then return {'absent'} end
    if only == 'absent' and isThere and string.sub(found, 8) ~= string.sub(head, 2) .. payload then return {'present', found} end
  end
  index(value, ids, ends, id, keepMs)
  store(value, head, payload, freshMs, keepMs)
  supersede(value, lease, wakeChannel)
  return {'stored'}
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

export interface TakeKeys {
  readonly value: Arg;
  readonly lease: Arg;
  readonly ids: Arg;
  readonly ends: Arg;
}

export interface TakeArgs {
  readonly wakeChannel: string;
  /** for the index */
  readonly id: string;
}

export type TakeResult =
  | { readonly status: "taken"; readonly value: Buffer }
  | { readonly status: "missing" };

/** Read a value within its time and remove it, and supersede any load under way. */
export const take: BatchScript<TakeKeys, TakeArgs, TakeResult> = {
  class: "unsafe",
  name: "cache.take",
  sha1: "cd65d81e1dc87a5b74e5c954fa0ad37e130b55b5",
  lua: `-- cache.take
${NOW}${ENTRY}${SUPERSEDE}${ID_INDEX}local value, lease, ids, ends = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local wakeChannel, id = ARGV[1], ARGV[2]
local found = redis.pcall('GET', value)
redis.call('DEL', value)
unindex(value, ids, ends, id)
supersede(value, lease, wakeChannel)
if type(found) ~= 'string' or isOver(found) then return {'missing'} end
return {'taken', found}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease, keys.ids, keys.ends);
  },
  encodeArgs(args, out) {
    out.push(args.wakeChannel, args.id);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "taken":
        expectFields(fields, 1);
        return { status: "taken", value: decodeBytes(fields[1]) };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of taken, missing", reply);
    }
  },
  most: 64,
  merged: {
    name: "cache.take (merged)",
    sha1: "9df3794ff5f38200248455c65da357095cd323fa",
    lua: `-- cache.take
${NOW}${ENTRY}${SUPERSEDE}${ID_INDEX}local function run(keyAt, argAt)
  local value, lease, ids, ends = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3], KEYS[keyAt + 4]
  local wakeChannel, id = ARGV[argAt + 1], ARGV[argAt + 2]
  local found = redis.pcall('GET', value)
  redis.call('DEL', value)
  unindex(value, ids, ends, id)
  supersede(value, lease, wakeChannel)
  if type(found) ~= 'string' or isOver(found) then return {'missing'} end
  return {'taken', found}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 2 and 2 or 0
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

export interface TouchKeys {
  readonly value: Arg;
  readonly ids: Arg;
  readonly ends: Arg;
}

export interface TouchArgs {
  /** for the index */
  readonly id: string;
  /** below 0: for ever */
  readonly freshMs: number;
  /** freshMs and the grace */
  readonly keepMs: number;
}

export type TouchResult =
  | { readonly status: "touched"; readonly head: Buffer }
  | { readonly status: "missing" };

/** Begin an entry's time again, if it has a value and is not over. The result is what stands before that, by which the caller knows whether it is valid. */
export const touch: BatchScript<TouchKeys, TouchArgs, TouchResult> = {
  class: "idempotent",
  name: "cache.touch",
  sha1: "356c5302b3d16e8ffcbec846fe7adc6e1f5d58e0",
  lua: `-- cache.touch
${NOW}${ENTRY}${SERVED}${ID_INDEX}local value, ids, ends = KEYS[1], KEYS[2], KEYS[3]
local id, freshMs, keepMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local head = headOf(value)
if not isServed(head) then return {'missing'} end
redis.call('SETRANGE', value, 1, untilOf(freshMs))
local ms = hasGrace(head) and keepMs or freshMs
index(value, ids, ends, id, ms)
if ms < 0 then redis.call('PERSIST', value) else redis.call('PEXPIRE', value, ms) end
return {'touched', head}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.ids, keys.ends);
  },
  encodeArgs(args, out) {
    out.push(args.id, encodeInt("freshMs", args.freshMs), encodeInt("keepMs", args.keepMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "touched":
        expectFields(fields, 1);
        return { status: "touched", head: decodeBytes(fields[1]) };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of touched, missing", reply);
    }
  },
  most: 64,
  merged: {
    name: "cache.touch (merged)",
    sha1: "98e68ecf730b58ad22580142ddec0ba6596c46ed",
    lua: `-- cache.touch
${NOW}${ENTRY}${SERVED}${ID_INDEX}local function run(keyAt, argAt)
  local value, ids, ends = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3]
  local id, freshMs, keepMs = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3])
  local head = headOf(value)
  if not isServed(head) then return {'missing'} end
  redis.call('SETRANGE', value, 1, untilOf(freshMs))
  local ms = hasGrace(head) and keepMs or freshMs
  index(value, ids, ends, id, ms)
  if ms < 0 then redis.call('PERSIST', value) else redis.call('PEXPIRE', value, ms) end
  return {'touched', head}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 3 and 3 or 0
for keyAt = 0, #KEYS - 1, 3 do
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
