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
  sha1: "d618e74533c857b865f9f605f1781f56e8ba2cb7",
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
local function find(session, index, handle, idleMs)
  local found = redis.call('HMGET', session, 'seen', 'ends', 'version', 'user', 'alias')
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
local function touch(session, index, handle, idleMs, touchMs, state)
  if now() - state.seen < touchMs then return end
  redis.call('HSET', session, 'seen', now())
  keepUntil(session, index, handle, state.user, math.min(now() + idleMs, state.ends))
end
local session, index = KEYS[1], KEYS[2]
local handle, idleMs = ARGV[1], tonumber(ARGV[2])
local target = redis.call('HMGET', session, 'alias', 'heir')
if target[1] or target[2] then return {'moved', target[1] or target[2]} end
local state = find(session, index, handle, idleMs)
redis.call('DEL', session)
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
