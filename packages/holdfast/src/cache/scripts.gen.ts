// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeBytes, decodeInt, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeInt } from "../core/script/encode.ts";
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

const ENTRY = `local function entryOf(payload, ttlMs)
  return struct.pack('>BI6', 1, now() + ttlMs) .. payload
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
  readonly ttlMs: number;
  readonly wakeChannel: string;
  readonly payload: Arg;
}

export type FillResult =
  | { readonly status: "filled" }
  | { readonly status: "superseded" };

/** Store what was loaded, if the right to load was not taken away meanwhile: the compare-and-set against stale values. */
export const fill: BatchScript<FillKeys, FillArgs, FillResult> = {
  class: "idempotent",
  name: "cache.fill",
  sha1: "35566d98ab86b87519bd33e9f18788e7e4d43b13",
  lua: `-- cache.fill
${NOW}${ENTRY}local value, lease = KEYS[1], KEYS[2]
local token, ttlMs, wakeChannel, payload = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local state = redis.call('HMGET', lease, 'token', 'waiters')
if state[1] ~= token then return {'superseded'} end
redis.call('SET', value, entryOf(payload, ttlMs), 'PX', ttlMs)
redis.call('DEL', lease)
if state[2] then redis.call('PUBLISH', wakeChannel, value) end
return {'filled'}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("ttlMs", args.ttlMs), args.wakeChannel, args.payload);
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
    sha1: "ab360600caddc92022f49daeebf3cd2c4be829fa",
    lua: `-- cache.fill
${NOW}${ENTRY}local function run(keyAt, argAt)
  local value, lease = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local token, ttlMs, wakeChannel, payload = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), ARGV[argAt + 3], ARGV[argAt + 4]
  local state = redis.call('HMGET', lease, 'token', 'waiters')
  if state[1] ~= token then return {'superseded'} end
  redis.call('SET', value, entryOf(payload, ttlMs), 'PX', ttlMs)
  redis.call('DEL', lease)
  if state[2] then redis.call('PUBLISH', wakeChannel, value) end
  return {'filled'}
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

export interface LookupKeys {
  readonly value: Arg;
  readonly lease: Arg;
}

export interface LookupArgs {
  readonly flight: string;
  readonly attempt: number;
  readonly leaseMs: number;
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
  sha1: "d68d30eba0ec8b879eceb9dd9b068a4999b3bff7",
  lua: `-- cache.lookup
${TAKEN}local value, lease = KEYS[1], KEYS[2]
local flight, attempt, leaseMs, reload = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
if not reload then
  local found = redis.pcall('GET', value)
  if type(found) == 'string' then return {'hit', found} end
  if found and string.sub(found.err, 1, 9) ~= 'WRONGTYPE' then return found end
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
    out.push(args.flight, encodeInt("attempt", args.attempt), encodeInt("leaseMs", args.leaseMs), encodeBool(args.reload));
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
    sha1: "20e40ad22cf844def2e04039ec0c760a2e63ee49",
    lua: `-- cache.lookup
${TAKEN}local function run(keyAt, argAt)
  local value, lease = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local flight, attempt, leaseMs, reload = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), ARGV[argAt + 4] == '1'
  if not reload then
    local found = redis.pcall('GET', value)
    if type(found) == 'string' then return {'hit', found} end
    if found and string.sub(found.err, 1, 9) ~= 'WRONGTYPE' then return found end
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
  sha1: "a54cc5ab649d88fe3fee7aafb0538695301af25a",
  lua: `-- cache.remove
local value, lease = KEYS[1], KEYS[2]
local wakeChannel = ARGV[1]
local removed = redis.call('DEL', value)
local waiters = redis.call('HGET', lease, 'waiters')
redis.call('DEL', lease)
if waiters then redis.call('PUBLISH', wakeChannel, value) end
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
    sha1: "d2c1f5344bb09cfa0b1bebf152cd2270703d64cf",
    lua: `-- cache.remove
local function run(keyAt, argAt)
  local value, lease = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local wakeChannel = ARGV[argAt + 1]
  local removed = redis.call('DEL', value)
  local waiters = redis.call('HGET', lease, 'waiters')
  redis.call('DEL', lease)
  if waiters then redis.call('PUBLISH', wakeChannel, value) end
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

export interface SetKeys {
  readonly value: Arg;
  readonly lease: Arg;
}

export interface SetArgs {
  readonly ttlMs: number;
  readonly wakeChannel: string;
  readonly payload: Arg;
}

export type SetResult = boolean;

/** Store a value and supersede any load under way, whose result would be older. */
export const set: BatchScript<SetKeys, SetArgs, SetResult> = {
  class: "idempotent",
  name: "cache.set",
  sha1: "ad26a7e48a04abc9863a5303c6be3ca9af836274",
  lua: `-- cache.set
${NOW}${ENTRY}local value, lease = KEYS[1], KEYS[2]
local ttlMs, wakeChannel, payload = tonumber(ARGV[1]), ARGV[2], ARGV[3]
redis.call('SET', value, entryOf(payload, ttlMs), 'PX', ttlMs)
local waiters = redis.call('HGET', lease, 'waiters')
redis.call('DEL', lease)
if waiters then redis.call('PUBLISH', wakeChannel, value) end
return 1
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("ttlMs", args.ttlMs), args.wakeChannel, args.payload);
  },
  decode(reply) {
    return decodeBool(reply);
  },
  merged: {
    name: "cache.set (merged)",
    sha1: "38f7dddcb617f39102eb8fb28379df60f39ca429",
    lua: `-- cache.set
${NOW}${ENTRY}local function run(keyAt, argAt)
  local value, lease = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local ttlMs, wakeChannel, payload = tonumber(ARGV[argAt + 1]), ARGV[argAt + 2], ARGV[argAt + 3]
  redis.call('SET', value, entryOf(payload, ttlMs), 'PX', ttlMs)
  local waiters = redis.call('HGET', lease, 'waiters')
  redis.call('DEL', lease)
  if waiters then redis.call('PUBLISH', wakeChannel, value) end
  return 1
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
