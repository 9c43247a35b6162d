// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeList, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeInt } from "../core/script/encode.ts";
import type { BatchScript, Script } from "../core/script/script.ts";

const POINTS = `local function append(chunk, newest, points, expiresAt, maxBytes, at, value)
  if redis.call('STRLEN', chunk) + #points > maxBytes then return {'limit'} end
  local isNew = redis.call('APPEND', chunk, points) == #points
  if isNew then redis.call('PEXPIREAT', chunk, expiresAt) end
  local before = redis.call('GET', newest)
  if not before or struct.unpack('<d', before) <= at then
    redis.call('SET', newest, struct.pack('<d', at) .. value, 'PXAT', expiresAt)
  end
  return {isNew and 'opened' or 'ok'}
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

export interface AppendOnceKeys {
  readonly chunk: Arg;
  readonly newest: Arg;
}

export interface AppendOnceArgs {
  readonly points: Arg;
  /** of the chunk, ms */
  readonly expiresAt: number;
  /** of the chunk */
  readonly maxBytes: number;
  /** of the newest of the points, ms */
  readonly at: number;
  /** of that one, 8 bytes */
  readonly value: Arg;
}

export type AppendOnceResult =
  | { readonly status: "ok" }
  | { readonly status: "opened" }
  | { readonly status: "limit" };

/** As append, where points must not be stored twice. */
export const appendOnce: BatchScript<AppendOnceKeys, AppendOnceArgs, AppendOnceResult> = {
  class: "unsafe",
  name: "series.appendOnce",
  sha1: "d1b5f4527b2b9d131a53eb37a49eb27212545796",
  lua: `-- series.appendOnce
${POINTS}local chunk, newest = KEYS[1], KEYS[2]
local points, expiresAt, maxBytes, at, value = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
return append(chunk, newest, points, expiresAt, maxBytes, at, value)
`,
  encodeKeys(keys, out) {
    out.push(keys.chunk, keys.newest);
  },
  encodeArgs(args, out) {
    out.push(args.points, encodeInt("expiresAt", args.expiresAt), encodeInt("maxBytes", args.maxBytes), encodeInt("at", args.at), args.value);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "opened":
        expectFields(fields, 0);
        return { status: "opened" };
      case "limit":
        expectFields(fields, 0);
        return { status: "limit" };
      default:
        throw new UnexpectedReplyError("one of ok, opened, limit", reply);
    }
  },
  most: 48,
  merged: {
    name: "series.appendOnce (merged)",
    sha1: "8d09ad463c4cc38d459cda7539fdbb2933f61fbf",
    lua: `-- series.appendOnce
${POINTS}local function run(keyAt, argAt)
  local chunk, newest = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local points, expiresAt, maxBytes, at, value = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), ARGV[argAt + 5]
  return append(chunk, newest, points, expiresAt, maxBytes, at, value)
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

export interface AppendKeys {
  readonly chunk: Arg;
  readonly newest: Arg;
}

export interface AppendArgs {
  readonly points: Arg;
  /** of the chunk, ms */
  readonly expiresAt: number;
  /** of the chunk */
  readonly maxBytes: number;
  /** of the newest of the points, ms */
  readonly at: number;
  /** of that one, 8 bytes */
  readonly value: Arg;
}

export type AppendResult =
  | { readonly status: "ok" }
  | { readonly status: "opened" }
  | { readonly status: "limit" };

/** Adds points to a chunk, all or none, and remembers the newest of the series. */
export const append: BatchScript<AppendKeys, AppendArgs, AppendResult> = {
  class: "idempotent",
  name: "series.append",
  sha1: "181f7a9408740e3c4058568d0e4a4e6e7cec3859",
  lua: `-- series.append
${POINTS}local chunk, newest = KEYS[1], KEYS[2]
local points, expiresAt, maxBytes, at, value = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
return append(chunk, newest, points, expiresAt, maxBytes, at, value)
`,
  encodeKeys(keys, out) {
    out.push(keys.chunk, keys.newest);
  },
  encodeArgs(args, out) {
    out.push(args.points, encodeInt("expiresAt", args.expiresAt), encodeInt("maxBytes", args.maxBytes), encodeInt("at", args.at), args.value);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "opened":
        expectFields(fields, 0);
        return { status: "opened" };
      case "limit":
        expectFields(fields, 0);
        return { status: "limit" };
      default:
        throw new UnexpectedReplyError("one of ok, opened, limit", reply);
    }
  },
  most: 48,
  merged: {
    name: "series.append (merged)",
    sha1: "a722a822040b0cef4d0805d9fd4f307bf5108a7c",
    lua: `-- series.append
${POINTS}local function run(keyAt, argAt)
  local chunk, newest = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local points, expiresAt, maxBytes, at, value = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), ARGV[argAt + 5]
  return append(chunk, newest, points, expiresAt, maxBytes, at, value)
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

export interface DueKeys {
  readonly unsealed: Arg;
}

export interface DueArgs {
  readonly most: number;
  readonly leaseMs: number;
}

export type DueResult = string[];

/** Takes periods that are to be sealed, for a time: another process gets others, and these again if this one dies. */
export const due: Script<DueKeys, DueArgs, DueResult> = {
  class: "idempotent",
  name: "series.due",
  sha1: "5edc5684e5374ef87341a870fa5d5fbdfdc68e5c",
  lua: `-- series.due
${NOW}local unsealed = KEYS[1]
local most, leaseMs = tonumber(ARGV[1]), tonumber(ARGV[2])
local due = redis.call('ZRANGEBYSCORE', unsealed, '-inf', now(), 'LIMIT', 0, most)
for _, member in ipairs(due) do redis.call('ZADD', unsealed, now() + leaseMs + 0.5, member) end
return due
`,
  encodeKeys(keys, out) {
    out.push(keys.unsealed);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("most", args.most), encodeInt("leaseMs", args.leaseMs));
  },
  decode(reply) {
    return decodeList(reply, decodeText);
  },
};

export interface RegisterKeys {
  /** sorted set: the series by the time (ms) at which the last of it expires */
  readonly ids: Arg;
  /** hash: their labels */
  readonly labels: Arg;
  /** sorted set: `<period>:<series>` by the time (ms) at which it is to be sealed */
  readonly unsealed: Arg;
}

export interface RegisterArgs {
  readonly id: string;
  readonly period: number;
  readonly expiresAt: number;
  readonly sealAt: number;
  /** at the soonest so long from now */
  readonly lateMs: number;
  readonly maxSeries: number;
  /** the labels; empty: as they are */
  readonly described: string;
}

export type RegisterResult =
  | { readonly status: "ok" }
  | { readonly status: "limit" };

/** Makes a series and one of its periods known: the series to those who search, the period to those who seal. */
export const register: Script<RegisterKeys, RegisterArgs, RegisterResult> = {
  class: "idempotent",
  name: "series.register",
  sha1: "37cc58196afb659d42cd6ce2e8e49a0691a6181e",
  lua: `-- series.register
${NOW}local ids, labels, unsealed = KEYS[1], KEYS[2], KEYS[3]
local id, period, expiresAt, sealAt, lateMs, maxSeries, described = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local PRUNED = 64
local gone = redis.call('ZRANGEBYSCORE', ids, '-inf', now(), 'LIMIT', 0, PRUNED)
if #gone > 0 then
  redis.call('ZREM', ids, unpack(gone))
  redis.call('HDEL', labels, unpack(gone))
end
if not redis.call('ZSCORE', ids, id) and redis.call('ZCARD', ids) >= maxSeries then return {'limit'} end
redis.call('ZADD', ids, 'GT', expiresAt, id)
if described ~= '' then redis.call('HSET', labels, id, described) end
local member = period .. ':' .. id
local waiting = redis.call('ZSCORE', unsealed, member)
if not waiting or tonumber(waiting) % 1 ~= 0 then redis.call('ZADD', unsealed, math.max(sealAt, now() + lateMs), member) end
local last = redis.call('ZRANGE', ids, -1, -1, 'WITHSCORES')[2]
for _, key in ipairs({ids, labels, unsealed}) do redis.call('PEXPIREAT', key, last) end
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.ids, keys.labels, keys.unsealed);
  },
  encodeArgs(args, out) {
    out.push(args.id, encodeInt("period", args.period), encodeInt("expiresAt", args.expiresAt), encodeInt("sealAt", args.sealAt), encodeInt("lateMs", args.lateMs), encodeInt("maxSeries", args.maxSeries), args.described);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "limit":
        expectFields(fields, 0);
        return { status: "limit" };
      default:
        throw new UnexpectedReplyError("one of ok, limit", reply);
    }
  },
};

export interface SealKeys {
  readonly open: Arg;
  readonly sealed: Arg;
  readonly rollups: readonly Arg[];
}

export interface SealArgs {
  /** that were read */
  readonly openBytes: number;
  /** the head of the sealed chunk that was read; empty: there was none */
  readonly sealedBefore: Arg;
  readonly sealedAfter: Arg;
  /** of the sealed chunk, ms */
  readonly expiresAt: number;
  /** of the hashes of the roll-ups */
  readonly field: string;
  /** for each of the roll-ups its summaries and, as text, the time (ms) at which it expires */
  readonly rolled: readonly Arg[];
}

export type SealResult =
  | { readonly status: "ok" }
  | { readonly status: "changed" };

/** Puts what a period's points became in their place, if they are still the ones that were read. */
export const seal: Script<SealKeys, SealArgs, SealResult> = {
  class: "idempotent",
  name: "series.seal",
  sha1: "531f47237ec1319d2e08c262226f760e1505ac42",
  lua: `-- series.seal
local open, sealed = KEYS[1], KEYS[2]
local rollups = {}
for i = 3, #KEYS do rollups[i - 2] = KEYS[i] end
local openBytes, sealedBefore, sealedAfter, expiresAt, field = tonumber(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local rolled = {}
for i = 6, #ARGV do rolled[i - 5] = ARGV[i] end
if redis.call('STRLEN', open) ~= openBytes then return {'changed'} end
if redis.call('GETRANGE', sealed, 0, 4) ~= sealedBefore then return {'changed'} end
redis.call('SET', sealed, sealedAfter, 'PXAT', expiresAt)
for at, rollup in ipairs(rollups) do
  redis.call('HSET', rollup, field, rolled[2 * at - 1])
  redis.call('PEXPIREAT', rollup, rolled[2 * at])
end
redis.call('UNLINK', open)
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.open, keys.sealed);
    for (const each of keys.rollups) out.push(each);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("openBytes", args.openBytes), args.sealedBefore, args.sealedAfter, encodeInt("expiresAt", args.expiresAt), args.field);
    for (const each of args.rolled) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "changed":
        expectFields(fields, 0);
        return { status: "changed" };
      default:
        throw new UnexpectedReplyError("one of ok, changed", reply);
    }
  },
};

export interface SettleKeys {
  readonly unsealed: Arg;
}

export interface SettleArgs {
  readonly member: string;
}

export type SettleResult =
  | { readonly status: "ok" };

/** A period was sealed: it is to be sealed no more, unless it was registered again. */
export const settle: Script<SettleKeys, SettleArgs, SettleResult> = {
  class: "idempotent",
  name: "series.settle",
  sha1: "c424fa2b3808c3c97a28ab97b599fd8142288f2b",
  lua: `-- series.settle
local unsealed = KEYS[1]
local member = ARGV[1]
local score = redis.call('ZSCORE', unsealed, member)
if score and tonumber(score) % 1 ~= 0 then redis.call('ZREM', unsealed, member) end
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.unsealed);
  },
  encodeArgs(args, out) {
    out.push(args.member);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};
