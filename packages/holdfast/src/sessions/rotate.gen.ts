// Generated from rotate.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBytes, decodeList, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

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
  | { readonly status: "rotated"; readonly fields: Buffer[] }
  | { readonly status: "conflict" }
  | { readonly status: "missing" };

/**
 * Put a session under a new id in the same slot. The values are sealed to their key, so the caller brings them anew;
 * `version` says which state they were read from. The old key becomes an alias for `graceMs`.
 * The new id is random, so a successor that is there already was made by this very call, whose answer was lost.
 */
export const rotate: Script<RotateKeys, RotateArgs, RotateResult> = {
  class: "dedupable",
  name: "sessions.rotate",
  sha1: "b56ad418420a54ffd3bb3bd95e0894603eddf323",
  lua: `-- sessions.rotate
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
local session, successor, index = KEYS[1], KEYS[2], KEYS[3]
local handle, nextHandle, target, version, graceMs, idleMs = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local fields = {}
for i = 7, #ARGV do fields[i - 6] = ARGV[i] end
if redis.call('HEXISTS', successor, 'created') == 1 then return {'rotated', redis.call('HGETALL', successor)} end
local state = find(session, index, handle, idleMs)
if not state then return {'missing'} end
if state.version ~= version then return {'conflict'} end
local kept = redis.call('HMGET', session, 'created', 'ops')
local at = now()
redis.call('HSET', successor, 'created', kept[1], 'seen', at, 'ends', state.ends, 'version', version, unpack(fields))
if kept[2] then redis.call('HSET', successor, 'ops', kept[2]) end
if state.user then redis.call('ZREM', index, handle) end
keepUntil(successor, index, nextHandle, state.user, math.min(at + idleMs, state.ends))
bury(session)
if graceMs > 0 then
  redis.call('HSET', session, 'alias', target, 'until', at + graceMs)
  redis.call('PEXPIRE', session, math.max(graceMs, redis.call('PTTL', session)))
end
return {'rotated', redis.call('HGETALL', successor)}
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
      case "rotated":
        expectFields(fields, 1);
        return { status: "rotated", fields: decodeList(fields[1], decodeBytes) };
      case "conflict":
        expectFields(fields, 0);
        return { status: "conflict" };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of rotated, conflict, missing", reply);
    }
  },
};
