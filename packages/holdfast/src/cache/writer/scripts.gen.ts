// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../../driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeBytes, decodeInt, decodeList, decodeText, decodeUnion, expectFields } from "../../core/script/decode.ts";
import { encodeBool, encodeInt } from "../../core/script/encode.ts";
import type { BatchScript, None, Script } from "../../core/script/script.ts";

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

export interface AcceptKeys {
  readonly value: Arg;
  readonly lease: Arg;
  readonly pending: Arg;
  readonly due: Arg;
  readonly since: Arg;
  readonly dead: Arg;
  readonly ids: Arg;
  readonly ends: Arg;
}

export interface AcceptArgs {
  readonly id: string;
  readonly removes: boolean;
  /** below 0, as keepMs: for ever */
  readonly freshMs: number;
  readonly keepMs: number;
  readonly lingerMs: number;
  /** entries that wait or were put aside */
  readonly maxWaiting: number;
  readonly wakeChannel: string;
  /** of the entry, without its time */
  readonly head: Arg;
  readonly payload: Arg;
}

export type AcceptResult =
  | { readonly status: "accepted"; readonly version: number }
  | { readonly status: "full" };

/**
 * Store a value, or remove it, and note in the same step that the database has yet to be written.
 * `full`: so many wait, or were put aside; nothing has changed.
 * `pending` holds the last write of each id: its version, the claim of who is writing it to the database (0: nobody), how often that was tried, 1
 * for a value and 2 for a removal, the value. Its field '' is the last number given. A version is the time in microseconds, or one more than
 * the last number. `due`: when each id is to be written next; one that is being written stays where it is until that has ended, so that no id is written
 * twice at once. `since`: for how long each has waited.
 */
export const accept: BatchScript<AcceptKeys, AcceptArgs, AcceptResult> = {
  class: "idempotent",
  name: "cache.writer.accept",
  sha1: "a0df4ac283dcf97a95c0c59ecb09e56d1a47fc80",
  lua: `-- cache.writer.accept
${NOW}${ID_INDEX}local value, lease, pending, due, since, dead, ids, ends = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local id, removes, freshMs, keepMs, lingerMs, maxWaiting, wakeChannel, head, payload = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7], ARGV[8], ARGV[9]
local before = redis.call('HMGET', pending, '', id)
if not before[2] and redis.call('ZCARD', since) + redis.call('HLEN', dead) >= maxWaiting and redis.call('HEXISTS', dead, id) == 0 then
  return {'full'}
end
local version = math.max((tonumber(before[1]) or 0) + 1, nowMicros())
local claim = before[2] and select(2, struct.unpack('>dd', before[2])) or 0
local record = struct.pack('>dddB', version, claim, 0, removes and 2 or 1) .. payload
redis.call('HSET', pending, '', string.format('%.0f', version), id, record)
redis.call('PERSIST', pending)
redis.call('ZADD', due, 'NX', now() + lingerMs, id)
redis.call('ZADD', since, 'NX', now(), id)
redis.call('HDEL', dead, id)
if removes then
  redis.call('DEL', value)
  unindex(value, ids, ends, id)
else
  index(value, ids, ends, id, keepMs)
  local ends = struct.pack('>I6', freshMs < 0 and 281474976710655 or now() + freshMs)
  local entry = string.sub(head, 1, 1) .. ends .. string.sub(head, 2) .. payload
  if keepMs < 0 then redis.call('SET', value, entry) else redis.call('SET', value, entry, 'PX', keepMs) end
end
local waiters = redis.call('HGET', lease, 'waiters')
redis.call('DEL', lease)
if waiters then redis.call('PUBLISH', wakeChannel, value) end
return {'accepted', version}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease, keys.pending, keys.due, keys.since, keys.dead, keys.ids, keys.ends);
  },
  encodeArgs(args, out) {
    out.push(args.id, encodeBool(args.removes), encodeInt("freshMs", args.freshMs), encodeInt("keepMs", args.keepMs), encodeInt("lingerMs", args.lingerMs), encodeInt("maxWaiting", args.maxWaiting), args.wakeChannel, args.head, args.payload);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "accepted":
        expectFields(fields, 1);
        return { status: "accepted", version: decodeInt(fields[1]) };
      case "full":
        expectFields(fields, 0);
        return { status: "full" };
      default:
        throw new UnexpectedReplyError("one of accepted, full", reply);
    }
  },
  most: 64,
  merged: {
    name: "cache.writer.accept (merged)",
    sha1: "b71dc9881eb1f7c122198a6eb3bd63a5c963a26f",
    lua: `-- cache.writer.accept
${NOW}${ID_INDEX}local function run(keyAt, argAt)
  local value, lease, pending, due, since, dead, ids, ends = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3], KEYS[keyAt + 4], KEYS[keyAt + 5], KEYS[keyAt + 6], KEYS[keyAt + 7], KEYS[keyAt + 8]
  local id, removes, freshMs, keepMs, lingerMs, maxWaiting, wakeChannel, head, payload = ARGV[argAt + 1], ARGV[argAt + 2] == '1', tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), tonumber(ARGV[argAt + 5]), tonumber(ARGV[argAt + 6]), ARGV[argAt + 7], ARGV[argAt + 8], ARGV[argAt + 9]
  local before = redis.call('HMGET', pending, '', id)
  if not before[2] and redis.call('ZCARD', since) + redis.call('HLEN', dead) >= maxWaiting and redis.call('HEXISTS', dead, id) == 0 then
    return {'full'}
  end
  local version = math.max((tonumber(before[1]) or 0) + 1, nowMicros())
  local claim = before[2] and select(2, struct.unpack('>dd', before[2])) or 0
  local record = struct.pack('>dddB', version, claim, 0, removes and 2 or 1) .. payload
  redis.call('HSET', pending, '', string.format('%.0f', version), id, record)
  redis.call('PERSIST', pending)
  redis.call('ZADD', due, 'NX', now() + lingerMs, id)
  redis.call('ZADD', since, 'NX', now(), id)
  redis.call('HDEL', dead, id)
  if removes then
    redis.call('DEL', value)
    unindex(value, ids, ends, id)
  else
    index(value, ids, ends, id, keepMs)
    local ends = struct.pack('>I6', freshMs < 0 and 281474976710655 or now() + freshMs)
    local entry = string.sub(head, 1, 1) .. ends .. string.sub(head, 2) .. payload
    if keepMs < 0 then redis.call('SET', value, entry) else redis.call('SET', value, entry, 'PX', keepMs) end
  end
  local waiters = redis.call('HGET', lease, 'waiters')
  redis.call('DEL', lease)
  if waiters then redis.call('PUBLISH', wakeChannel, value) end
  return {'accepted', version}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 9 and 9 or 0
for keyAt = 0, #KEYS - 1, 8 do
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

export interface BuryKeys {
  readonly value: Arg;
  readonly lease: Arg;
  readonly pending: Arg;
  readonly due: Arg;
  readonly since: Arg;
  readonly dead: Arg;
}

export interface BuryArgs {
  readonly id: string;
  readonly claim: number;
  readonly version: number;
  readonly reason: string;
  readonly keepMs: number;
  readonly wakeChannel: string;
}

export type BuryResult =
  | { readonly status: "ok" }
  | { readonly status: "newer" }
  | { readonly status: "stale" };

/** Put a write aside that has failed too often, and remove the entry: what is read from now on is what the database has. */
export const bury: BatchScript<BuryKeys, BuryArgs, BuryResult> = {
  class: "idempotent",
  name: "cache.writer.bury",
  sha1: "19fe763360e924acd904bd175c6e55c298920968",
  lua: `-- cache.writer.bury
${NOW}local value, lease, pending, due, since, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local id, claim, version, reason, keepMs, wakeChannel = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5]), ARGV[6]
redis.call('ZREM', due, '')
local record = redis.call('HGET', pending, id)
if not record then return {'stale'} end
local is, held = struct.unpack('>dd', record)
if held ~= claim then return {'stale'} end
if is ~= version then
  redis.call('HSET', pending, id, struct.pack('>ddd', is, 0, 0) .. string.sub(record, 25))
  redis.call('ZADD', due, now(), id)
  return {'newer'}
end
redis.call('HSET', dead, id, struct.pack('>dI2', now(), #reason) .. reason .. record)
redis.call('HDEL', pending, id)
redis.call('ZREM', due, id)
redis.call('ZREM', since, id)
if redis.call('EXISTS', since) == 0 then redis.call('PEXPIRE', pending, keepMs) end
redis.call('DEL', value)
local waiters = redis.call('HGET', lease, 'waiters')
redis.call('DEL', lease)
if waiters then redis.call('PUBLISH', wakeChannel, value) end
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease, keys.pending, keys.due, keys.since, keys.dead);
  },
  encodeArgs(args, out) {
    out.push(args.id, encodeInt("claim", args.claim), encodeInt("version", args.version), args.reason, encodeInt("keepMs", args.keepMs), args.wakeChannel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "newer":
        expectFields(fields, 0);
        return { status: "newer" };
      case "stale":
        expectFields(fields, 0);
        return { status: "stale" };
      default:
        throw new UnexpectedReplyError("one of ok, newer, stale", reply);
    }
  },
  most: 64,
  merged: {
    name: "cache.writer.bury (merged)",
    sha1: "24302684fb0180a38f98e4050a6daed9c0082d6c",
    lua: `-- cache.writer.bury
${NOW}local function run(keyAt, argAt)
  local value, lease, pending, due, since, dead = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3], KEYS[keyAt + 4], KEYS[keyAt + 5], KEYS[keyAt + 6]
  local id, claim, version, reason, keepMs, wakeChannel = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), ARGV[argAt + 4], tonumber(ARGV[argAt + 5]), ARGV[argAt + 6]
  redis.call('ZREM', due, '')
  local record = redis.call('HGET', pending, id)
  if not record then return {'stale'} end
  local is, held = struct.unpack('>dd', record)
  if held ~= claim then return {'stale'} end
  if is ~= version then
    redis.call('HSET', pending, id, struct.pack('>ddd', is, 0, 0) .. string.sub(record, 25))
    redis.call('ZADD', due, now(), id)
    return {'newer'}
  end
  redis.call('HSET', dead, id, struct.pack('>dI2', now(), #reason) .. reason .. record)
  redis.call('HDEL', pending, id)
  redis.call('ZREM', due, id)
  redis.call('ZREM', since, id)
  if redis.call('EXISTS', since) == 0 then redis.call('PEXPIRE', pending, keepMs) end
  redis.call('DEL', value)
  local waiters = redis.call('HGET', lease, 'waiters')
  redis.call('DEL', lease)
  if waiters then redis.call('PUBLISH', wakeChannel, value) end
  return {'ok'}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 6 and 6 or 0
for keyAt = 0, #KEYS - 1, 6 do
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

export interface ClaimKeys {
  readonly pending: Arg;
  readonly due: Arg;
  readonly since: Arg;
  readonly dead: Arg;
}

export interface ClaimArgs {
  readonly limit: number;
  readonly claimMs: number;
  /** also what is due so soon */
  readonly aheadMs: number;
  readonly maxBytes: number;
}

export type ClaimResult =
  | { readonly status: "ok"; readonly claim: number; readonly ids: string[]; readonly records: Buffer[]; readonly lost: string[]; readonly isUneven: boolean; readonly isEmpty: boolean };

/**
 * Take writes that are due, for a time: who dies with them loses them to the next.
 * `lost`: ids without their record, which was evicted. `isUneven`: one of the keys was, and the others are to be mended.
 */
export const claim: Script<ClaimKeys, ClaimArgs, ClaimResult> = {
  class: "unsafe",
  name: "cache.writer.claim",
  sha1: "8e3783a6bcbef1b1fcc273174908f93e47986e7f",
  lua: `-- cache.writer.claim
${NOW}local pending, due, since, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local limit, claimMs, aheadMs, maxBytes = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('ZREM', due, '')
local last = redis.call('HGET', pending, '')
local claim = math.max((tonumber(last) or 0) + 1, nowMicros())
local ids, records, lost, bytes = {}, {}, {}, 0
for _, id in ipairs(redis.call('ZRANGE', due, '-inf', now() + aheadMs, 'BYSCORE', 'LIMIT', 0, limit)) do
  local record = redis.call('HGET', pending, id)
  if not record then
    redis.call('ZREM', due, id)
    redis.call('ZREM', since, id)
    lost[#lost + 1] = id
  else
    bytes = bytes + #record
    if bytes > maxBytes and #ids > 0 then break end
    local version, _, tried = struct.unpack('>ddd', record)
    record = struct.pack('>ddd', version, claim, tried + 1) .. string.sub(record, 25)
    redis.call('HSET', pending, id, record)
    redis.call('ZADD', due, now() + claimMs, id)
    ids[#ids + 1], records[#records + 1] = id, record
  end
end
if #ids > 0 then redis.call('HSET', pending, '', string.format('%.0f', claim)) end
local waiting, known = redis.call('ZCARD', due), redis.call('ZCARD', since)
local kept = redis.call('HLEN', pending) - redis.call('HEXISTS', pending, '')
return {'ok', claim, ids, records, lost, waiting ~= known or known ~= kept, waiting + known + kept == 0 and redis.call('EXISTS', dead) == 0}
`,
  encodeKeys(keys, out) {
    out.push(keys.pending, keys.due, keys.since, keys.dead);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("limit", args.limit), encodeInt("claimMs", args.claimMs), encodeInt("aheadMs", args.aheadMs), encodeInt("maxBytes", args.maxBytes));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 6);
        return { status: "ok", claim: decodeInt(fields[1]), ids: decodeList(fields[2], decodeText), records: decodeList(fields[3], decodeBytes), lost: decodeList(fields[4], decodeText), isUneven: decodeBool(fields[5]), isEmpty: decodeBool(fields[6]) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface HoldKeys {
  readonly value: Arg;
  readonly lease: Arg;
}

export interface HoldArgs {
  readonly token: string;
  readonly leaseMs: number;
}

export type HoldResult = number;

/**
 * Remove an entry and take the right to fill it, from whoever has it: the database is about to be written.
 * Returns the version of the write: the time in microseconds, or one more than the last holder's.
 * Removing needs no memory and comes first, so that this can be done while memory is full.
 */
export const hold: BatchScript<HoldKeys, HoldArgs, HoldResult> = {
  class: "idempotent",
  name: "cache.writer.hold",
  sha1: "fdcfb379b44c333254cdaa45876401958a0236f1",
  lua: `-- cache.writer.hold
${NOW}local value, lease = KEYS[1], KEYS[2]
local token, leaseMs = ARGV[1], tonumber(ARGV[2])
redis.call('DEL', value)
local version = math.max((tonumber(redis.call('HGET', lease, 'version')) or 0) + 1, nowMicros())
redis.call('HSET', lease, 'token', token, 'version', string.format('%.0f', version))
redis.call('PEXPIRE', lease, leaseMs)
return version
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("leaseMs", args.leaseMs));
  },
  decode(reply) {
    return decodeInt(reply);
  },
  most: 64,
  merged: {
    name: "cache.writer.hold (merged)",
    sha1: "8e6e260b477b936539de8f3d4f1b0b9e1018e445",
    lua: `-- cache.writer.hold
${NOW}local function run(keyAt, argAt)
  local value, lease = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local token, leaseMs = ARGV[argAt + 1], tonumber(ARGV[argAt + 2])
  redis.call('DEL', value)
  local version = math.max((tonumber(redis.call('HGET', lease, 'version')) or 0) + 1, nowMicros())
  redis.call('HSET', lease, 'token', token, 'version', string.format('%.0f', version))
  redis.call('PEXPIRE', lease, leaseMs)
  return version
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

export interface LagKeys {
  readonly since: Arg;
  readonly dead: Arg;
}

export type LagArgs = None;

export type LagResult =
  | { readonly status: "ok"; readonly count: number; readonly oldestMs: number; readonly dead: number };

/** How many writes wait, for how long the oldest has, and how many were put aside. */
export const lag: Script<LagKeys, LagArgs, LagResult> = {
  class: "read",
  name: "cache.writer.lag",
  sha1: "db1369c2ec8f9793dac5992fb37f91a407698eb6",
  lua: `-- cache.writer.lag
${NOW}local since, dead = KEYS[1], KEYS[2]
local first = redis.call('ZRANGE', since, 0, 0, 'WITHSCORES')[2]
return {'ok', redis.call('ZCARD', since), first and math.max(now() - tonumber(first), 0) or 0, redis.call('HLEN', dead)}
`,
  encodeKeys(keys, out) {
    out.push(keys.since, keys.dead);
  },
  encodeArgs() {},
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 3);
        return { status: "ok", count: decodeInt(fields[1]), oldestMs: decodeInt(fields[2]), dead: decodeInt(fields[3]) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface MendKeys {
  readonly pending: Arg;
  readonly due: Arg;
  readonly since: Arg;
}

export interface MendArgs {
  readonly ids: readonly string[];
}

export type MendResult = string[];

/** Put back what the loss of one key has cost: a write that is noted nowhere as due is due now; returns the ids whose write is gone. */
export const mend: Script<MendKeys, MendArgs, MendResult> = {
  class: "idempotent",
  name: "cache.writer.mend",
  sha1: "306960677cdb7325174210e371f165a624ad43fb",
  lua: `-- cache.writer.mend
${NOW}local pending, due, since = KEYS[1], KEYS[2], KEYS[3]
local ids = ARGV
redis.call('ZREM', due, '')
local lost = {}
for _, id in ipairs(ids) do
  if redis.call('HEXISTS', pending, id) == 1 then
    redis.call('ZADD', due, 'NX', now(), id)
    redis.call('ZADD', since, 'NX', now(), id)
  else
    redis.call('ZREM', due, id)
    redis.call('ZREM', since, id)
    lost[#lost + 1] = id
  end
end
return lost
`,
  encodeKeys(keys, out) {
    out.push(keys.pending, keys.due, keys.since);
  },
  encodeArgs(args, out) {
    for (const each of args.ids) out.push(each);
  },
  decode(reply) {
    return decodeList(reply, decodeText);
  },
};

export interface RedriveKeys {
  readonly value: Arg;
  readonly lease: Arg;
  readonly pending: Arg;
  readonly due: Arg;
  readonly since: Arg;
  readonly dead: Arg;
}

export interface RedriveArgs {
  readonly id: string;
  readonly wakeChannel: string;
}

export type RedriveResult = boolean;

/** Let a write that was put aside be tried again, unless a newer one waits; and remove the entry, which is what the database has. */
export const redrive: BatchScript<RedriveKeys, RedriveArgs, RedriveResult> = {
  class: "idempotent",
  name: "cache.writer.redrive",
  sha1: "7e5229884db755beecc27e11dca7161de6b24a0e",
  lua: `-- cache.writer.redrive
${NOW}local value, lease, pending, due, since, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local id, wakeChannel = ARGV[1], ARGV[2]
local letter = redis.call('HGET', dead, id)
if not letter then return false end
local _, length = struct.unpack('>dI2', letter)
local record = string.sub(letter, 11 + length)
if redis.call('HEXISTS', pending, id) == 0 then
  local version = struct.unpack('>d', record)
  local last = tonumber(redis.call('HGET', pending, '')) or 0
  redis.call('HSET', pending, '', string.format('%.0f', math.max(last, version)), id, struct.pack('>ddd', version, 0, 0) .. string.sub(record, 25))
  redis.call('PERSIST', pending)
  redis.call('ZADD', due, 'NX', now(), id)
  redis.call('ZADD', since, 'NX', now(), id)
end
redis.call('HDEL', dead, id)
redis.call('DEL', value)
local waiters = redis.call('HGET', lease, 'waiters')
redis.call('DEL', lease)
if waiters then redis.call('PUBLISH', wakeChannel, value) end
return true
`,
  encodeKeys(keys, out) {
    out.push(keys.value, keys.lease, keys.pending, keys.due, keys.since, keys.dead);
  },
  encodeArgs(args, out) {
    out.push(args.id, args.wakeChannel);
  },
  decode(reply) {
    return decodeBool(reply);
  },
  most: 64,
  merged: {
    name: "cache.writer.redrive (merged)",
    sha1: "81e031189d6630384eaa87258a7ddae652965277",
    lua: `-- cache.writer.redrive
${NOW}local function run(keyAt, argAt)
  local value, lease, pending, due, since, dead = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3], KEYS[keyAt + 4], KEYS[keyAt + 5], KEYS[keyAt + 6]
  local id, wakeChannel = ARGV[argAt + 1], ARGV[argAt + 2]
  local letter = redis.call('HGET', dead, id)
  if not letter then return false end
  local _, length = struct.unpack('>dI2', letter)
  local record = string.sub(letter, 11 + length)
  if redis.call('HEXISTS', pending, id) == 0 then
    local version = struct.unpack('>d', record)
    local last = tonumber(redis.call('HGET', pending, '')) or 0
    redis.call('HSET', pending, '', string.format('%.0f', math.max(last, version)), id, struct.pack('>ddd', version, 0, 0) .. string.sub(record, 25))
    redis.call('PERSIST', pending)
    redis.call('ZADD', due, 'NX', now(), id)
    redis.call('ZADD', since, 'NX', now(), id)
  end
  redis.call('HDEL', dead, id)
  redis.call('DEL', value)
  local waiters = redis.call('HGET', lease, 'waiters')
  redis.call('DEL', lease)
  if waiters then redis.call('PUBLISH', wakeChannel, value) end
  return true
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 2 and 2 or 0
for keyAt = 0, #KEYS - 1, 6 do
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

export interface SettleKeys {
  readonly pending: Arg;
  readonly due: Arg;
  readonly since: Arg;
}

export interface SettleArgs {
  readonly id: string;
  readonly claim: number;
  readonly version: number;
  /** done, retry or release */
  readonly outcome: string;
  readonly delayMs: number;
  /** for how long the last number is kept when nothing waits */
  readonly keepMs: number;
}

export type SettleResult =
  | { readonly status: "ok" }
  | { readonly status: "newer" }
  | { readonly status: "stale" };

/**
 * End the claim of a write: it is in the database, is to be tried again, or was not tried. One that a newer write has replaced meanwhile is due at once.
 * `stale`: the claim was over, and somebody else's now.
 */
export const settle: BatchScript<SettleKeys, SettleArgs, SettleResult> = {
  class: "idempotent",
  name: "cache.writer.settle",
  sha1: "b620510a5d28d6b3b3462b5348cb41d37dce1986",
  lua: `-- cache.writer.settle
${NOW}local pending, due, since = KEYS[1], KEYS[2], KEYS[3]
local id, claim, version, outcome, delayMs, keepMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
redis.call('ZREM', due, '')
local record = redis.call('HGET', pending, id)
if not record then return {'stale'} end
local is, held, tried = struct.unpack('>ddd', record)
if held ~= claim then return {'stale'} end
local isNewer = is ~= version
if outcome == 'done' and not isNewer then
  redis.call('HDEL', pending, id)
  redis.call('ZREM', due, id)
  redis.call('ZREM', since, id)
  if redis.call('EXISTS', since) == 0 then redis.call('PEXPIRE', pending, keepMs) end
  return {'ok'}
end
if isNewer then tried = 0 elseif outcome == 'release' then tried = math.max(tried - 1, 0) end
redis.call('HSET', pending, id, struct.pack('>ddd', is, 0, tried) .. string.sub(record, 25))
redis.call('ZADD', due, now() + (isNewer and outcome == 'done' and 0 or delayMs), id)
if isNewer and outcome == 'done' then redis.call('ZADD', since, math.floor(is / 1000), id) end
return {isNewer and 'newer' or 'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.pending, keys.due, keys.since);
  },
  encodeArgs(args, out) {
    out.push(args.id, encodeInt("claim", args.claim), encodeInt("version", args.version), args.outcome, encodeInt("delayMs", args.delayMs), encodeInt("keepMs", args.keepMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "newer":
        expectFields(fields, 0);
        return { status: "newer" };
      case "stale":
        expectFields(fields, 0);
        return { status: "stale" };
      default:
        throw new UnexpectedReplyError("one of ok, newer, stale", reply);
    }
  },
  most: 64,
  merged: {
    name: "cache.writer.settle (merged)",
    sha1: "dc8eb8a2a15026965e20c13350e442d2cc772e17",
    lua: `-- cache.writer.settle
${NOW}local function run(keyAt, argAt)
  local pending, due, since = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3]
  local id, claim, version, outcome, delayMs, keepMs = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), ARGV[argAt + 4], tonumber(ARGV[argAt + 5]), tonumber(ARGV[argAt + 6])
  redis.call('ZREM', due, '')
  local record = redis.call('HGET', pending, id)
  if not record then return {'stale'} end
  local is, held, tried = struct.unpack('>ddd', record)
  if held ~= claim then return {'stale'} end
  local isNewer = is ~= version
  if outcome == 'done' and not isNewer then
    redis.call('HDEL', pending, id)
    redis.call('ZREM', due, id)
    redis.call('ZREM', since, id)
    if redis.call('EXISTS', since) == 0 then redis.call('PEXPIRE', pending, keepMs) end
    return {'ok'}
  end
  if isNewer then tried = 0 elseif outcome == 'release' then tried = math.max(tried - 1, 0) end
  redis.call('HSET', pending, id, struct.pack('>ddd', is, 0, tried) .. string.sub(record, 25))
  redis.call('ZADD', due, now() + (isNewer and outcome == 'done' and 0 or delayMs), id)
  if isNewer and outcome == 'done' then redis.call('ZADD', since, math.floor(is / 1000), id) end
  return {isNewer and 'newer' or 'ok'}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 6 and 6 or 0
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
