// Generated from destroy.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeText, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

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
  sha1: "d83a9639397a8902c09243a0121a0f84e9a133f8",
  lua: `-- sessions.destroy
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
