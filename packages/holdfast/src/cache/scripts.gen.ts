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

const SUPERSEDE = `local function supersede(value, lease, wakeChannel)
  local waiters = redis.call('HGET', lease, 'waiters')
  redis.call('DEL', lease)
  if waiters then redis.call('PUBLISH', wakeChannel, value) end
end
`;

const ENTRY = `local function entryOf(head, payload, freshMs)
  return string.sub(head, 1, 1) .. struct.pack('>I6', now() + freshMs) .. string.sub(head, 2) .. payload
end
local function isOver(stored)
  return math.floor(string.byte(stored) / 16) % 2 == 1 and #stored > 7 and struct.unpack('>I6', stored, 2) <= now()
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
  sha1: "68cd42061b6ef144b3732fcd901c25c2c0dbac9e",
  lua: `-- cache.begin
${NOW}local state = KEYS[1]
local keepMs = tonumber(ARGV[1])
local known = redis.call('ZMSCORE', state, 's', 'c', 'f')
if not known[1] then
  local text = string.format('%.0f', math.floor(nowMicros() / 10))
  redis.call('ZADD', state, text, 's', text, 'c')
  known = { text, text }
end
redis.call('PEXPIRE', state, keepMs)
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

export interface ExpireKeys {
  readonly value: Arg;
  readonly lease: Arg;
}

export interface ExpireArgs {
  readonly wakeChannel: string;
}

export type ExpireResult = boolean;

/** End an entry's time, but keep it for its grace; one that has none is removed. Supersedes any load under way. */
export const expire: BatchScript<ExpireKeys, ExpireArgs, ExpireResult> = {
  class: "idempotent",
  name: "cache.expire",
  sha1: "48dbe718e2e759327a875032f0deb7fe5406333a",
  lua: `-- cache.expire
${NOW}${SUPERSEDE}local value, lease = KEYS[1], KEYS[2]
local wakeChannel = ARGV[1]
supersede(value, lease, wakeChannel)
local head = redis.call('GETRANGE', value, 0, 6)
if head == '' then return 0 end
if #head < 7 or math.floor(string.byte(head) / 16) % 2 == 0 then return redis.call('DEL', value) end
if struct.unpack('>I6', head, 2) <= now() then return 0 end
redis.call('SETRANGE', value, 1, struct.pack('>I6', now()))
return 1
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(args.wakeChannel);
  },
  decode(reply) {
    return decodeBool(reply);
  },
  merged: {
    name: "cache.expire (merged)",
    sha1: "f6f39618ffbc27a65586b1c9eb0b8b20935e1e7e",
    lua: `-- cache.expire
${NOW}${SUPERSEDE}local function run(keyAt, argAt)
  local value, lease = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local wakeChannel = ARGV[argAt + 1]
  supersede(value, lease, wakeChannel)
  local head = redis.call('GETRANGE', value, 0, 6)
  if head == '' then return 0 end
  if #head < 7 or math.floor(string.byte(head) / 16) % 2 == 0 then return redis.call('DEL', value) end
  if struct.unpack('>I6', head, 2) <= now() then return 0 end
  redis.call('SETRANGE', value, 1, struct.pack('>I6', now()))
  return 1
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 1 and 1 or 0
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
}

export interface FillArgs {
  readonly token: string;
  readonly freshMs: number;
  /** freshMs and the grace */
  readonly keepMs: number;
  readonly wakeChannel: string;
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
  sha1: "92a19412b2c30c855c8766b0b26e0276500ef3b1",
  lua: `-- cache.fill
${NOW}${ENTRY}local value, lease = KEYS[1], KEYS[2]
local token, freshMs, keepMs, wakeChannel, head, payload = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6]
local state = redis.call('HMGET', lease, 'token', 'waiters')
if state[1] ~= token then return {'superseded'} end
redis.call('SET', value, entryOf(head, payload, freshMs), 'PX', keepMs)
redis.call('DEL', lease)
if state[2] then redis.call('PUBLISH', wakeChannel, value) end
return {'filled'}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("freshMs", args.freshMs), encodeInt("keepMs", args.keepMs), args.wakeChannel, args.head, args.payload);
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
  merged: {
    name: "cache.fill (merged)",
    sha1: "5b9100bf8230354d80380f5c3656e31eb1b6f31b",
    lua: `-- cache.fill
${NOW}${ENTRY}local function run(keyAt, argAt)
  local value, lease = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local token, freshMs, keepMs, wakeChannel, head, payload = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), ARGV[argAt + 4], ARGV[argAt + 5], ARGV[argAt + 6]
  local state = redis.call('HMGET', lease, 'token', 'waiters')
  if state[1] ~= token then return {'superseded'} end
  redis.call('SET', value, entryOf(head, payload, freshMs), 'PX', keepMs)
  redis.call('DEL', lease)
  if state[2] then redis.call('PUBLISH', wakeChannel, value) end
  return {'filled'}
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
  | { readonly status: "invalidated"; readonly sequence: number; readonly cleared: number; readonly floor: number }
  | { readonly status: "lost" };

/**
 * Invalidate all entries of a cache that have one of these tags, or all of them. What is stored from now on has a greater sequence.
 * The state of a cache is one sorted set: `s` the sequence, `c` that of the last clearing, `f` the one below which no tag is known any more,
 * `t<tag>` that of the tag's last invalidation.
 * `lost`: memory is full, so that the state is forgotten instead, and every entry is invalid.
 */
export const invalidate: Script<InvalidateKeys, InvalidateArgs, InvalidateResult> = {
  class: "idempotent",
  name: "cache.invalidate",
  sha1: "d5e5ea74d8e2e93dc58f99e32efeae3ec14b9493",
  lua: `-- cache.invalidate
${NOW}${TAKEN}local state = KEYS[1]
local keepMs, max = tonumber(ARGV[1]), tonumber(ARGV[2])
local tags = {}
for i = 3, #ARGV do tags[i - 2] = ARGV[i] end
local known = redis.call('ZMSCORE', state, 's', 'c', 'f')
local sequence = math.floor(nowMicros() / 10)
if known[1] and tonumber(known[1]) >= sequence then sequence = tonumber(known[1]) + 1 end
local text = string.format('%.0f', sequence)
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
local excess = redis.call('ZCARD', state) - max - 3
if excess > 0 then
  for _, member in ipairs(redis.call('ZRANGE', state, 0, math.min(excess + max / 10, 1000) + 2)) do
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
redis.call('PEXPIRE', state, keepMs)
return {'invalidated', sequence, cleared, floor}
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
        expectFields(fields, 3);
        return { status: "invalidated", sequence: decodeInt(fields[1]), cleared: decodeInt(fields[2]), floor: decodeInt(fields[3]) };
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
  sha1: "1e74f8eb32ce2596930a4055fc69b8f43ab5012d",
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
  merged: {
    name: "cache.lookup (merged)",
    sha1: "27cd8f97520fe96f1217f95a32f670a48a618fdf",
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
}

export interface RemoveArgs {
  readonly wakeChannel: string;
}

export type RemoveResult = boolean;

/** Remove a value and supersede any load under way: what it read may be what is being deleted. */
export const remove: BatchScript<RemoveKeys, RemoveArgs, RemoveResult> = {
  class: "idempotent",
  name: "cache.remove",
  sha1: "a6c200d35a2c79ed2efca2ff8c5b1a7a9e978de5",
  lua: `-- cache.remove
${SUPERSEDE}local value, lease = KEYS[1], KEYS[2]
local wakeChannel = ARGV[1]
local removed = redis.call('DEL', value)
supersede(value, lease, wakeChannel)
return removed
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(args.wakeChannel);
  },
  decode(reply) {
    return decodeBool(reply);
  },
  merged: {
    name: "cache.remove (merged)",
    sha1: "e8db249115b952bfa321c4999dad5993524a4dc4",
    lua: `-- cache.remove
${SUPERSEDE}local function run(keyAt, argAt)
  local value, lease = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local wakeChannel = ARGV[argAt + 1]
  local removed = redis.call('DEL', value)
  supersede(value, lease, wakeChannel)
  return removed
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 1 and 1 or 0
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

export interface RenewKeys {
  readonly value: Arg;
  readonly lease: Arg;
}

export interface RenewArgs {
  readonly token: string;
  /** of the entry as the loader knows it; another one is left as it is */
  readonly head: Arg;
  readonly freshMs: number;
  /** 0: as long as it would have been kept */
  readonly keepMs: number;
  /** see entry.ts */
  readonly sequence: Arg;
  readonly wakeChannel: string;
}

export type RenewResult =
  | { readonly status: "renewed" }
  | { readonly status: "superseded" };

/** Serve an entry for some time more, with the right to load, which is given back: its load has failed, or found nothing new. */
export const renew: BatchScript<RenewKeys, RenewArgs, RenewResult> = {
  class: "idempotent",
  name: "cache.renew",
  sha1: "ee0a9c3dd3a2e3d1a5d8ec1b9dad500636ecc326",
  lua: `-- cache.renew
${NOW}local value, lease = KEYS[1], KEYS[2]
local token, head, freshMs, keepMs, sequence, wakeChannel = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6]
local state = redis.call('HMGET', lease, 'token', 'waiters')
if state[1] ~= token then return {'superseded'} end
redis.call('DEL', lease)
if state[2] then redis.call('PUBLISH', wakeChannel, value) end
if redis.call('GETRANGE', value, 0, #head - 1) ~= head then return {'superseded'} end
redis.call('SETRANGE', value, 1, struct.pack('>I6', now() + freshMs) .. sequence)
if keepMs > 0 then redis.call('PEXPIRE', value, keepMs) end
return {'renewed'}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(args.token, args.head, encodeInt("freshMs", args.freshMs), encodeInt("keepMs", args.keepMs), args.sequence, args.wakeChannel);
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
  merged: {
    name: "cache.renew (merged)",
    sha1: "1be046b2bbc1f3a4760470047bd0bbb634dbc08e",
    lua: `-- cache.renew
${NOW}local function run(keyAt, argAt)
  local value, lease = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local token, head, freshMs, keepMs, sequence, wakeChannel = ARGV[argAt + 1], ARGV[argAt + 2], tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), ARGV[argAt + 5], ARGV[argAt + 6]
  local state = redis.call('HMGET', lease, 'token', 'waiters')
  if state[1] ~= token then return {'superseded'} end
  redis.call('DEL', lease)
  if state[2] then redis.call('PUBLISH', wakeChannel, value) end
  if redis.call('GETRANGE', value, 0, #head - 1) ~= head then return {'superseded'} end
  redis.call('SETRANGE', value, 1, struct.pack('>I6', now() + freshMs) .. sequence)
  if keepMs > 0 then redis.call('PEXPIRE', value, keepMs) end
  return {'renewed'}
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
}

export interface SetArgs {
  readonly freshMs: number;
  /** freshMs and the grace */
  readonly keepMs: number;
  readonly wakeChannel: string;
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
  sha1: "fde4f755abf220bf57c7a0fea8ddfc199f1ef474",
  lua: `-- cache.set
${NOW}${ENTRY}${SUPERSEDE}local value, lease = KEYS[1], KEYS[2]
local freshMs, keepMs, wakeChannel, head, payload, only, known = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
if only ~= '' then
  local found = redis.call('GET', value)
  local isThere = found and not isOver(found) and (known == '' or string.sub(found, 1, #known) ~= known)
  if only == 'present' and not isThere then return {'absent'} end
  if only == 'absent' and isThere and string.sub(found, 8) ~= string.sub(head, 2) .. payload then return {'present', found} end
end
redis.call('SET', value, entryOf(head, payload, freshMs), 'PX', keepMs)
supersede(value, lease, wakeChannel)
return {'stored'}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("freshMs", args.freshMs), encodeInt("keepMs", args.keepMs), args.wakeChannel, args.head, args.payload, args.only, args.known);
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
  merged: {
    name: "cache.set (merged)",
    sha1: "9bec5fd32e4f08d01068bb9ed7769833b3cf052a",
    lua: `-- cache.set
${NOW}${ENTRY}${SUPERSEDE}local function run(keyAt, argAt)
  local value, lease = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local freshMs, keepMs, wakeChannel, head, payload, only, known = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2]), ARGV[argAt + 3], ARGV[argAt + 4], ARGV[argAt + 5], ARGV[argAt + 6], ARGV[argAt + 7]
  if only ~= '' then
    local found = redis.call('GET', value)
    local isThere = found and not isOver(found) and (known == '' or string.sub(found, 1, #known) ~= known)
    if only == 'present' and not isThere then return {'absent'} end
    if only == 'absent' and isThere and string.sub(found, 8) ~= string.sub(head, 2) .. payload then return {'present', found} end
  end
  redis.call('SET', value, entryOf(head, payload, freshMs), 'PX', keepMs)
  supersede(value, lease, wakeChannel)
  return {'stored'}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 7 and 7 or 0
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

export interface TakeKeys {
  readonly value: Arg;
  readonly lease: Arg;
}

export interface TakeArgs {
  readonly wakeChannel: string;
}

export type TakeResult =
  | { readonly status: "taken"; readonly value: Buffer }
  | { readonly status: "missing" };

/** Read a value and remove it, and supersede any load under way. */
export const take: BatchScript<TakeKeys, TakeArgs, TakeResult> = {
  class: "unsafe",
  name: "cache.take",
  sha1: "715f9a6a7ada5be3b175b860602f92c696c52e27",
  lua: `-- cache.take
${SUPERSEDE}local value, lease = KEYS[1], KEYS[2]
local wakeChannel = ARGV[1]
local found = redis.pcall('GET', value)
redis.call('DEL', value)
supersede(value, lease, wakeChannel)
if type(found) ~= 'string' then return {'missing'} end
return {'taken', found}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(args.wakeChannel);
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
  merged: {
    name: "cache.take (merged)",
    sha1: "f4737d04faa48f6e2466bd3410bacdd4c010672b",
    lua: `-- cache.take
${SUPERSEDE}local function run(keyAt, argAt)
  local value, lease = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local wakeChannel = ARGV[argAt + 1]
  local found = redis.pcall('GET', value)
  redis.call('DEL', value)
  supersede(value, lease, wakeChannel)
  if type(found) ~= 'string' then return {'missing'} end
  return {'taken', found}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 1 and 1 or 0
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

export interface TouchKeys {
  readonly value: Arg;
}

export interface TouchArgs {
  readonly freshMs: number;
  /** freshMs and the grace */
  readonly keepMs: number;
}

export type TouchResult = boolean;

/** Begin an entry's time again, if it is not over. */
export const touch: BatchScript<TouchKeys, TouchArgs, TouchResult> = {
  class: "idempotent",
  name: "cache.touch",
  sha1: "a050e70419cc4d54d99c3dbfacbbbe944739b69a",
  lua: `-- cache.touch
${NOW}local value = KEYS[1]
local freshMs, keepMs = tonumber(ARGV[1]), tonumber(ARGV[2])
local head = redis.call('GETRANGE', value, 0, 6)
if #head < 7 or struct.unpack('>I6', head, 2) <= now() then return 0 end
redis.call('SETRANGE', value, 1, struct.pack('>I6', now() + freshMs))
redis.call('PEXPIRE', value, math.floor(string.byte(head) / 16) % 2 == 1 and keepMs or freshMs)
return 1
`,
  encodeKeys(keys, out) {
    out.push(keys.value);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("freshMs", args.freshMs), encodeInt("keepMs", args.keepMs));
  },
  decode(reply) {
    return decodeBool(reply);
  },
  merged: {
    name: "cache.touch (merged)",
    sha1: "003f058a719edb57e3f8b5abef05458a77ac17a7",
    lua: `-- cache.touch
${NOW}local function run(keyAt, argAt)
  local value = KEYS[keyAt + 1]
  local freshMs, keepMs = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2])
  local head = redis.call('GETRANGE', value, 0, 6)
  if #head < 7 or struct.unpack('>I6', head, 2) <= now() then return 0 end
  redis.call('SETRANGE', value, 1, struct.pack('>I6', now() + freshMs))
  redis.call('PEXPIRE', value, math.floor(string.byte(head) / 16) % 2 == 1 and keepMs or freshMs)
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
