// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeBytes, decodeInt, decodeList, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeInt } from "../core/script/encode.ts";
import type { BatchScript, None, Script } from "../core/script/script.ts";

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

const TAKEN = `local REFUSALS = { OOM = true, MISCONF = true, NOREPLICAS = true }
local function taken(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then return true end
  if REFUSALS[string.match(reply.err, '^-?(%u+)')] then return false, reply.err end
  redis.call(...)
end
`;

const LIFE = `local LATE_MS = 60000
local function find(session, index, handle, idleMs, via)
  local found = redis.call('HMGET', session, 'seen', 'ends', 'version', 'user', 'alias', 'until', 'from')
  if found[6] and now() >= tonumber(found[6]) then return nil end
  if not found[1] then return nil, found[5] end
  if via and via ~= '' and found[7] ~= via then return nil end
  local state = { seen = tonumber(found[1]), ends = tonumber(found[2]), version = tonumber(found[3]), user = found[4] }
  if now() >= state.ends or now() - state.seen >= idleMs then return nil end
  if state.user and not redis.call('ZSCORE', index, handle) then return nil end
  return state
end
local function enlist(index, handle, expiresAt)
  redis.call('ZADD', index, expiresAt, handle)
  if redis.call('PEXPIRETIME', index) < expiresAt then redis.call('PEXPIREAT', index, expiresAt) end
end
local function keepUntil(session, index, handle, user, expiresAt)
  redis.call('PEXPIREAT', session, expiresAt)
  if user then enlist(index, handle, expiresAt) end
end
local function makeRoom(index, limit)
  local evicted = {}
  local surplus = redis.call('ZCARD', index) - limit + 1
  if surplus <= 0 then return evicted end
  local ended = redis.call('ZPOPMIN', index, surplus)
  for i = 1, #ended, 2 do evicted[#evicted + 1] = ended[i] end
  return evicted
end
local function bury(session)
  local found = redis.call('HMGET', session, 'created', 'late')
  if not found[1] then return end
  redis.call('DEL', session)
  if not found[2] or now() - found[1] >= LATE_MS then return end
  redis.call('HSET', session, 'gone', 1)
  redis.call('PEXPIRE', session, LATE_MS)
end
local function touch(session, index, handle, idleMs, touchMs, state)
  if now() - state.seen < touchMs then return true end
  local expiresAt = math.min(now() + idleMs, state.ends)
  if not taken('PEXPIREAT', session, expiresAt) then return false end
  if not taken('HSET', session, 'seen', now()) then return false end
  if state.user then enlist(index, handle, expiresAt) end
  return true
end
`;

export interface AdmitKeys {
  readonly session: Arg;
  readonly index: Arg;
}

export interface AdmitArgs {
  readonly handle: string;
  readonly limit: number;
  readonly idleMs: number;
}

export type AdmitResult =
  | { readonly status: "ok"; readonly fields: Buffer[]; readonly evicted: string[] }
  | { readonly status: "missing" };

/**
 * Let a pending session live, which the sign-in that it was made for has won, and evict down to the user's limit.
 * A repeat finds that it is pending no longer, and does not bring it back if it has ended meanwhile.
 */
export const admit: Script<AdmitKeys, AdmitArgs, AdmitResult> = {
  class: "dedupable",
  name: "sessions.admit",
  sha1: "52b6a05143ac0282bd4d77291bdc8c0508df7199",
  lua: `-- sessions.admit
${NOW}${TAKEN}${LIFE}local session, index = KEYS[1], KEYS[2]
local handle, limit, idleMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local found = redis.call('HMGET', session, 'seen', 'pending', 'ends')
if not found[1] then return {'missing'} end
if not found[2] then return {'ok', redis.call('HGETALL', session), {}} end
redis.call('HDEL', session, 'pending')
redis.call('ZREMRANGEBYSCORE', index, '-inf', now())
local evicted = makeRoom(index, limit)
keepUntil(session, index, handle, true, math.min(found[1] + idleMs, tonumber(found[3])))
return {'ok', redis.call('HGETALL', session), evicted}
`,
  encodeKeys(keys, out) {
    out.push(keys.session, keys.index);
  },
  encodeArgs(args, out) {
    out.push(args.handle, encodeInt("limit", args.limit), encodeInt("idleMs", args.idleMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 2);
        return { status: "ok", fields: decodeList(fields[1], decodeBytes), evicted: decodeList(fields[2], decodeText) };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of ok, missing", reply);
    }
  },
};

export interface CreateKeys {
  readonly session: Arg;
  readonly index: Arg;
}

export interface CreateArgs {
  readonly handle: string;
  readonly hasUser: boolean;
  readonly limit: number;
  readonly evict: boolean;
  readonly pending: boolean;
  readonly lateCopies: boolean;
  readonly idleMs: number;
  readonly absoluteMs: number;
  readonly fields: readonly Arg[];
}

export type CreateResult =
  | { readonly status: "ok"; readonly fields: Buffer[]; readonly evicted: string[] }
  | { readonly status: "limit"; readonly active: number }
  | { readonly status: "ended" };

/**
 * Create a session within the user's limit. The id is new and random, so a session that is there already was created
 * by this very call, whose answer was lost; and so was one that has ended already, before anybody knew its id.
 * A `pending` one evicts nobody and is not alive before it is admitted.
 */
export const create: Script<CreateKeys, CreateArgs, CreateResult> = {
  class: "dedupable",
  name: "sessions.create",
  sha1: "b3fe730a27ff520961b0f9cb8e47e1cead3d11f2",
  lua: `-- sessions.create
${NOW}${TAKEN}${LIFE}local session, index = KEYS[1], KEYS[2]
local handle, hasUser, limit, evict, pending, lateCopies, idleMs, absoluteMs = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3]), ARGV[4] == '1', ARGV[5] == '1', ARGV[6] == '1', tonumber(ARGV[7]), tonumber(ARGV[8])
local fields = {}
for i = 9, #ARGV do fields[i - 8] = ARGV[i] end
if redis.call('HEXISTS', session, 'created') == 1 then return {'ok', redis.call('HGETALL', session), {}} end
if redis.call('EXISTS', session) == 1 then return {'ended'} end
local at = now()
local expiresAt = at + math.min(idleMs, absoluteMs)
local evicted = {}
if hasUser and not pending then
  redis.call('ZREMRANGEBYSCORE', index, '-inf', at)
  local active = redis.call('ZCARD', index)
  if active >= limit and not evict then return {'limit', active} end
  evicted = makeRoom(index, limit)
end
redis.call('HSET', session, 'created', at, 'seen', at, 'ends', at + absoluteMs, 'version', 1, unpack(fields))
if pending then redis.call('HSET', session, 'pending', 1) end
if lateCopies then redis.call('HSET', session, 'late', 1) end
keepUntil(session, index, handle, hasUser and not pending, expiresAt)
return {'ok', redis.call('HGETALL', session), evicted}
`,
  encodeKeys(keys, out) {
    out.push(keys.session, keys.index);
  },
  encodeArgs(args, out) {
    out.push(args.handle, encodeBool(args.hasUser), encodeInt("limit", args.limit), encodeBool(args.evict), encodeBool(args.pending), encodeBool(args.lateCopies), encodeInt("idleMs", args.idleMs), encodeInt("absoluteMs", args.absoluteMs));
    for (const each of args.fields) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 2);
        return { status: "ok", fields: decodeList(fields[1], decodeBytes), evicted: decodeList(fields[2], decodeText) };
      case "limit":
        expectFields(fields, 1);
        return { status: "limit", active: decodeInt(fields[1]) };
      case "ended":
        expectFields(fields, 0);
        return { status: "ended" };
      default:
        throw new UnexpectedReplyError("one of ok, limit, ended", reply);
    }
  },
};

export interface DestroyKeys {
  readonly session: Arg;
  readonly index: Arg;
}

export interface DestroyArgs {
  readonly handle: string;
  readonly idleMs: number;
}

export type DestroyResult =
  | { readonly status: "destroyed" }
  | { readonly status: "moved"; readonly target: string }
  | { readonly status: "missing" };

/** End a session. An id that was rotated away names the session to end instead. */
export const destroy: Script<DestroyKeys, DestroyArgs, DestroyResult> = {
  class: "idempotent",
  name: "sessions.destroy",
  sha1: "3474b61d9dc9044551374349517e3f30cfece9ac",
  lua: `-- sessions.destroy
${NOW}${TAKEN}${LIFE}local session, index = KEYS[1], KEYS[2]
local handle, idleMs = ARGV[1], tonumber(ARGV[2])
local state, alias = find(session, index, handle, idleMs)
local target = alias or redis.call('HGET', session, 'heir')
if target then return {'moved', target} end
bury(session)
redis.call('ZREM', index, handle)
return {state and 'destroyed' or 'missing'}
`,
  encodeKeys(keys, out) {
    out.push(keys.session, keys.index);
  },
  encodeArgs(args, out) {
    out.push(args.handle, encodeInt("idleMs", args.idleMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "destroyed":
        expectFields(fields, 0);
        return { status: "destroyed" };
      case "moved":
        expectFields(fields, 1);
        return { status: "moved", target: decodeText(fields[1]) };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of destroyed, moved, missing", reply);
    }
  },
};

export interface GetKeys {
  readonly session: Arg;
  readonly index: Arg;
}

export interface GetArgs {
  readonly handle: string;
  readonly idleMs: number;
  readonly touchMs: number;
  /** handle of the alias that led here, or '' */
  readonly via: string;
}

export type GetResult =
  | { readonly status: "found"; readonly fields: Buffer[]; readonly touched: boolean }
  | { readonly status: "moved"; readonly target: string }
  | { readonly status: "missing" };

/**
 * Read a session if it is alive, and restart its idle time when that is due.
 * A read although it may write: restarting the idle time once more harms nothing, so a lost answer is asked for again.
 */
export const get: BatchScript<GetKeys, GetArgs, GetResult> = {
  class: "read",
  name: "sessions.get",
  sha1: "dfc06aae0cf84d6f4528a104f68e392a86e0b61a",
  lua: `-- sessions.get
${NOW}${TAKEN}${LIFE}local session, index = KEYS[1], KEYS[2]
local handle, idleMs, touchMs, via = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local state, alias = find(session, index, handle, idleMs, via)
if alias then return {'moved', alias} end
if not state then
  if redis.call('EXISTS', session) == 0 and redis.call('ZSCORE', index, handle) then taken('ZREM', index, handle) end
  return {'missing'}
end
local touched = touch(session, index, handle, idleMs, touchMs, state)
return {'found', redis.call('HGETALL', session), touched and 1 or 0}
`,
  encodeKeys(keys, out) {
    out.push(keys.session, keys.index);
  },
  encodeArgs(args, out) {
    out.push(args.handle, encodeInt("idleMs", args.idleMs), encodeInt("touchMs", args.touchMs), args.via);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "found":
        expectFields(fields, 2);
        return { status: "found", fields: decodeList(fields[1], decodeBytes), touched: decodeBool(fields[2]) };
      case "moved":
        expectFields(fields, 1);
        return { status: "moved", target: decodeText(fields[1]) };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of found, moved, missing", reply);
    }
  },
  most: 96,
  merged: {
    name: "sessions.get (merged)",
    sha1: "18a03ac73539c5e2a499bf0d379c72402357c1b7",
    lua: `-- sessions.get
${NOW}${TAKEN}${LIFE}local function run(keyAt, argAt)
  local session, index = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local handle, idleMs, touchMs, via = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), ARGV[argAt + 4]
  local state, alias = find(session, index, handle, idleMs, via)
  if alias then return {'moved', alias} end
  if not state then
    if redis.call('EXISTS', session) == 0 and redis.call('ZSCORE', index, handle) then taken('ZREM', index, handle) end
    return {'missing'}
  end
  local touched = touch(session, index, handle, idleMs, touchMs, state)
  return {'found', redis.call('HGETALL', session), touched and 1 or 0}
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

export interface ListKeys {
  readonly index: Arg;
}

export type ListArgs = None;

export type ListResult = string[];

/** The handles of a user's live sessions. */
export const list: Script<ListKeys, ListArgs, ListResult> = {
  class: "read",
  name: "sessions.list",
  sha1: "1ce27ce8ebcd1d2a232cac202f549552fbe911dc",
  lua: `-- sessions.list
${NOW}local index = KEYS[1]
return redis.call('ZRANGE', index, '(' .. now(), '+inf', 'BYSCORE')
`,
  encodeKeys(keys, out) {
    out.push(keys.index);
  },
  encodeArgs() {},
  decode(reply) {
    return decodeList(reply, decodeText);
  },
};

export interface PatchKeys {
  readonly session: Arg;
  readonly index: Arg;
}

export interface PatchArgs {
  readonly handle: string;
  readonly idleMs: number;
  readonly touchMs: number;
  /** handle of the alias that led here, or '' */
  readonly via: string;
  /** 0; when it is sent again: for how long it may have been under way */
  readonly againMs: number;
  readonly patchId: string;
  readonly expected: number;
  readonly removed: number;
  readonly changes: readonly Arg[];
}

export type PatchResult =
  | { readonly status: "ok"; readonly version: number }
  | { readonly status: "conflict"; readonly version: number }
  | { readonly status: "forgotten" }
  | { readonly status: "moved"; readonly target: string }
  | { readonly status: "revoked" };

/**
 * Change some fields of a live session; a session that ended is never brought back.
 * Applied patches leave their id and the version they made, so one whose answer was lost is recognised. The last dozen
 * are kept in `ops`, the newest first. `times` has the milliseconds at which the last two versions were made that are
 * divisible by NOTED_EVERY: each patch since the earlier one is remembered.
 * `forgotten`: a repeat, and whether it was applied before is not known any more.
 */
export const patch: Script<PatchKeys, PatchArgs, PatchResult> = {
  class: "dedupable",
  name: "sessions.patch",
  sha1: "ef07e205ad2c7a6c1ef2f0d0a5e94940f279104c",
  lua: `-- sessions.patch
${NOW}${TAKEN}${LIFE}local session, index = KEYS[1], KEYS[2]
local handle, idleMs, touchMs, via, againMs, patchId, expected, removed = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local changes = {}
for i = 9, #ARGV do changes[i - 8] = ARGV[i] end
local state, alias = find(session, index, handle, idleMs, via)
if alias then return {'moved', alias} end
if not state then return {'revoked'} end
local NOTED_EVERY, SKEW_MS = 4, 1000
local stored = redis.call('HMGET', session, 'ops', 'times')
local ops, times = stored[1] or '', stored[2] or ''
local applied = string.match(ops, patchId .. '=(%d+)')
if applied then return {'ok', tonumber(applied)} end
if expected > 0 and expected ~= state.version then
  local known = string.find(ops, '=' .. (expected + 1) .. ',', 1, true)
  if againMs > 0 and not known then return {'forgotten'} end
  return {'conflict', state.version}
end
if againMs > 0 and expected == 0 then
  local oldest = tonumber(string.match(ops, '=(%d+),$'))
  local since = tonumber(string.match(times, '^(%d+),'))
  local forgot = oldest and oldest > 2
  if forgot and not (since and since < now() - againMs - SKEW_MS) then return {'forgotten'} end
end
for i = 1, removed do redis.call('HDEL', session, changes[i]) end
for i = removed + 1, #changes, 2 do redis.call('HSET', session, changes[i], changes[i + 1]) end
local version = redis.call('HINCRBY', session, 'version', 1)
ops = string.sub(patchId .. '=' .. version .. ',' .. ops, 1, 200)
if version % NOTED_EVERY == 0 then times = string.match(times, '%d*$') .. ',' .. now() end
redis.call('HSET', session, 'ops', string.match(ops, '^.*,'), 'times', times)
touch(session, index, handle, idleMs, touchMs, state)
return {'ok', version}
`,
  encodeKeys(keys, out) {
    out.push(keys.session, keys.index);
  },
  encodeArgs(args, out) {
    out.push(args.handle, encodeInt("idleMs", args.idleMs), encodeInt("touchMs", args.touchMs), args.via, encodeInt("againMs", args.againMs), args.patchId, encodeInt("expected", args.expected), encodeInt("removed", args.removed));
    for (const each of args.changes) out.push(each);
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
      case "moved":
        expectFields(fields, 1);
        return { status: "moved", target: decodeText(fields[1]) };
      case "revoked":
        expectFields(fields, 0);
        return { status: "revoked" };
      default:
        throw new UnexpectedReplyError("one of ok, conflict, forgotten, moved, revoked", reply);
    }
  },
};

export interface RetireKeys {
  readonly session: Arg;
  readonly index: Arg;
}

export interface RetireArgs {
  readonly handle: string;
  readonly target: string;
  readonly version: number;
  readonly traceMs: number;
  readonly idleMs: number;
}

export type RetireResult =
  | { readonly status: "retired" }
  | { readonly status: "conflict" }
  | { readonly status: "missing" };

/**
 * End a session whose successor was created in another slot. What is left opens nothing: it only lets a sign-out that
 * still carries the old id find the successor.
 */
export const retire: Script<RetireKeys, RetireArgs, RetireResult> = {
  class: "idempotent",
  name: "sessions.retire",
  sha1: "47c85fa363d19df30906f1f9704de1be58764894",
  lua: `-- sessions.retire
${NOW}${TAKEN}${LIFE}local session, index = KEYS[1], KEYS[2]
local handle, target, version, traceMs, idleMs = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if redis.call('HGET', session, 'heir') == target then return {'retired'} end
local state = find(session, index, handle, idleMs)
if not state then return {'missing'} end
if state.version ~= version then return {'conflict'} end
if state.user then redis.call('ZREM', index, handle) end
redis.call('DEL', session)
redis.call('HSET', session, 'heir', target)
redis.call('PEXPIRE', session, traceMs)
return {'retired'}
`,
  encodeKeys(keys, out) {
    out.push(keys.session, keys.index);
  },
  encodeArgs(args, out) {
    out.push(args.handle, args.target, encodeInt("version", args.version), encodeInt("traceMs", args.traceMs), encodeInt("idleMs", args.idleMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "retired":
        expectFields(fields, 0);
        return { status: "retired" };
      case "conflict":
        expectFields(fields, 0);
        return { status: "conflict" };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of retired, conflict, missing", reply);
    }
  },
};

export interface RevokeAllKeys {
  readonly index: Arg;
  readonly spared: Arg;
}

export interface RevokeAllArgs {
  /** handle of the session at `spared`, or '' */
  readonly except: string;
}

export type RevokeAllResult = string[];

/**
 * End all sessions of a user but one, at once and however many they are: out of the index is out of life.
 * The one to spare may be named by the alias from before its rotation. Named by itself it loses that alias, which somebody
 * else may hold.
 */
export const revokeAll: Script<RevokeAllKeys, RevokeAllArgs, RevokeAllResult> = {
  class: "idempotent",
  name: "sessions.revokeAll",
  sha1: "4a3c84093e801f8bcc93c0c81cc7de688afbbd94",
  lua: `-- sessions.revokeAll
${NOW}${TAKEN}${LIFE}local index, spared = KEYS[1], KEYS[2]
local except = ARGV[1]
local alias = redis.call('HMGET', spared, 'alias', 'until')
if alias[1] and now() < tonumber(alias[2]) then
  except = string.match(alias[1], '[^/]*$')
else
  redis.call('HDEL', spared, 'from')
end
redis.call('ZREMRANGEBYSCORE', index, '-inf', now())
local expiresAt = redis.call('ZSCORE', index, except)
redis.call('ZREM', index, except)
local ended = redis.call('ZRANGE', index, 0, -1)
redis.call('DEL', index)
if expiresAt then enlist(index, except, tonumber(expiresAt)) end
return ended
`,
  encodeKeys(keys, out) {
    out.push(keys.index, keys.spared);
  },
  encodeArgs(args, out) {
    out.push(args.except);
  },
  decode(reply) {
    return decodeList(reply, decodeText);
  },
};

export interface RotateKeys {
  readonly session: Arg;
  readonly successor: Arg;
  readonly index: Arg;
}

export interface RotateArgs {
  readonly handle: string;
  readonly nextHandle: string;
  readonly target: string;
  readonly version: number;
  readonly graceMs: number;
  readonly idleMs: number;
  readonly fields: readonly Arg[];
}

export type RotateResult =
  | { readonly status: "ok"; readonly fields: Buffer[] }
  | { readonly status: "conflict" }
  | { readonly status: "missing" };

/**
 * Put a session under a new id in the same slot. The values are sealed to their key, so the caller brings them again;
 * `version` says which state they were read from. The old key becomes an alias for `graceMs`.
 * The new id is random, so a successor that is there already was made by this very call, whose answer was lost.
 */
export const rotate: Script<RotateKeys, RotateArgs, RotateResult> = {
  class: "dedupable",
  name: "sessions.rotate",
  sha1: "007b5ad0a5d303444f16ed497973b138a9bb6ffe",
  lua: `-- sessions.rotate
${NOW}${TAKEN}${LIFE}local session, successor, index = KEYS[1], KEYS[2], KEYS[3]
local handle, nextHandle, target, version, graceMs, idleMs = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local fields = {}
for i = 7, #ARGV do fields[i - 6] = ARGV[i] end
if redis.call('HEXISTS', successor, 'created') == 1 then return {'ok', redis.call('HGETALL', successor)} end
local state = find(session, index, handle, idleMs)
if not state then return {'missing'} end
if state.version ~= version then return {'conflict'} end
local kept = redis.call('HMGET', session, 'created', 'ops', 'times')
local at = now()
redis.call('HSET', successor, 'created', kept[1], 'seen', at, 'ends', state.ends, 'version', version, unpack(fields))
if kept[2] then redis.call('HSET', successor, 'ops', kept[2], 'times', kept[3] or '') end
if graceMs > 0 then redis.call('HSET', successor, 'from', handle) end
if state.user then redis.call('ZREM', index, handle) end
keepUntil(successor, index, nextHandle, state.user, math.min(at + idleMs, state.ends))
bury(session)
if graceMs > 0 then
  redis.call('HSET', session, 'alias', target, 'until', at + graceMs)
  redis.call('PEXPIRE', session, math.max(graceMs, redis.call('PTTL', session)))
end
return {'ok', redis.call('HGETALL', successor)}
`,
  encodeKeys(keys, out) {
    out.push(keys.session, keys.successor, keys.index);
  },
  encodeArgs(args, out) {
    out.push(args.handle, args.nextHandle, args.target, encodeInt("version", args.version), encodeInt("graceMs", args.graceMs), encodeInt("idleMs", args.idleMs));
    for (const each of args.fields) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", fields: decodeList(fields[1], decodeBytes) };
      case "conflict":
        expectFields(fields, 0);
        return { status: "conflict" };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of ok, conflict, missing", reply);
    }
  },
};

export interface SweepKeys {
  readonly sessions: readonly Arg[];
}

export type SweepArgs = None;

export type SweepResult = number;

/** Take away what is left of sessions that are out of their index. */
export const sweep: Script<SweepKeys, SweepArgs, SweepResult> = {
  class: "idempotent",
  name: "sessions.sweep",
  sha1: "270afd46f93bc1a16a37c719c9a85cd627a06fb9",
  lua: `-- sessions.sweep
${NOW}${TAKEN}${LIFE}local sessions = KEYS
for _, session in ipairs(sessions) do bury(session) end
return #sessions
`,
  encodeKeys(keys, out) {
    for (const each of keys.sessions) out.push(each);
  },
  encodeArgs() {},
  decode(reply) {
    return decodeInt(reply);
  },
};
