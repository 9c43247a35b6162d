// Generated from sweep.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeInt } from "../script/decode.ts";
import type { None, Script } from "../script/script.ts";

export interface SweepKeys {
  readonly sessions: readonly Arg[];
}

export type SweepArgs = None;

export type SweepResult = number;

/** Take away what is left of sessions that are out of their index. */
export const sweep: Script<SweepKeys, SweepArgs, SweepResult> = {
  class: "idempotent",
  name: "sessions.sweep",
  sha1: "2d24260f1b924ee8ffb03e0046c89c8b80f0191b",
  lua: `-- sessions.sweep
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
local sessions = KEYS
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
