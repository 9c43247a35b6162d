// Generated from patch.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeInt, decodeText, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface PatchKeys {
  readonly session: Arg;
  readonly index: Arg;
}

export interface PatchArgs {
  readonly handle: string;
  readonly idleMs: number;
  readonly touchMs: number;
  readonly patchId: string;
  readonly expected: number;
  readonly removed: number;
  readonly changes: readonly Arg[];
}

export type PatchResult =
  | { readonly status: "ok"; readonly version: number }
  | { readonly status: "conflict"; readonly version: number }
  | { readonly status: "moved"; readonly target: string }
  | { readonly status: "revoked" };

/**
 * Change some fields of a live session; a session that ended is never brought back.
 * Applied patches leave their id and the version they made, so one whose answer was lost is recognised. The last dozen
 * are kept, the newest first.
 */
export const patch: Script<PatchKeys, PatchArgs, PatchResult> = {
  class: "dedupable",
  name: "sessions.patch",
  sha1: "002111e1ce73d14375be763277202dda12347d4d",
  lua: `-- sessions.patch
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
local LATE_MS = 60000
local function find(session, index, handle, idleMs)
  local found = redis.call('HMGET', session, 'seen', 'ends', 'version', 'user', 'alias', 'until')
  if found[6] and now() >= tonumber(found[6]) then return nil end
  if not found[1] then return nil, found[5] end
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
local function bury(session)
  local created = tonumber(redis.call('HGET', session, 'created'))
  if not created then return end
  redis.call('DEL', session)
  if now() - created >= LATE_MS then return end
  redis.call('HSET', session, 'gone', 1)
  redis.call('PEXPIRE', session, LATE_MS)
end
local function touch(session, index, handle, idleMs, touchMs, state)
  if now() - state.seen < touchMs then return end
  redis.call('HSET', session, 'seen', now())
  keepUntil(session, index, handle, state.user, math.min(now() + idleMs, state.ends))
end
local session, index = KEYS[1], KEYS[2]
local handle, idleMs, touchMs, patchId, expected, removed = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local changes = {}
for i = 7, #ARGV do changes[i - 6] = ARGV[i] end
local state, alias = find(session, index, handle, idleMs)
if alias then return {'moved', alias} end
if not state then return {'revoked'} end
local ops = redis.call('HGET', session, 'ops') or ''
local applied = string.match(ops, patchId .. '=(%d+)')
if applied then return {'ok', tonumber(applied)} end
if expected > 0 and expected ~= state.version then return {'conflict', state.version} end
for i = 1, removed do redis.call('HDEL', session, changes[i]) end
for i = removed + 1, #changes, 2 do redis.call('HSET', session, changes[i], changes[i + 1]) end
local version = redis.call('HINCRBY', session, 'version', 1)
ops = string.sub(patchId .. '=' .. version .. ',' .. ops, 1, 200)
redis.call('HSET', session, 'ops', string.match(ops, '^.*,'))
touch(session, index, handle, idleMs, touchMs, state)
return {'ok', version}
`,
  encodeKeys(keys, out) {
    out.push(keys.session, keys.index);
  },
  encodeArgs(args, out) {
    out.push(args.handle, encodeInt("idleMs", args.idleMs), encodeInt("touchMs", args.touchMs), args.patchId, encodeInt("expected", args.expected), encodeInt("removed", args.removed));
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
      case "moved":
        expectFields(fields, 1);
        return { status: "moved", target: decodeText(fields[1]) };
      case "revoked":
        expectFields(fields, 0);
        return { status: "revoked" };
      default:
        throw new UnexpectedReplyError("one of ok, conflict, moved, revoked", reply);
    }
  },
};
