// Generated from get.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBytes, decodeList, decodeText, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeInt } from "../script/encode.ts";
import type { BatchScript } from "../script/script.ts";

export interface GetKeys {
  readonly session: Arg;
  readonly index: Arg;
}

export interface GetArgs {
  readonly handle: string;
  readonly idleMs: number;
  readonly touchMs: number;
}

export type GetResult =
  | { readonly status: "found"; readonly fields: Buffer[] }
  | { readonly status: "moved"; readonly target: string }
  | { readonly status: "missing" };

/**
 * Read a session if it is alive, and restart its idle time when that is due.
 * A read although it may write: restarting the idle time once more harms nothing, so a lost answer is asked for again.
 */
export const get: BatchScript<GetKeys, GetArgs, GetResult> = {
  class: "read",
  name: "sessions.get",
  sha1: "07a9a8c7c1c4c65dad4f118dd88fbab23705d5a3",
  lua: `-- sessions.get
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
local handle, idleMs, touchMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local state, alias = find(session, index, handle, idleMs)
if alias then return {'moved', alias} end
if not state then return {'missing'} end
touch(session, index, handle, idleMs, touchMs, state)
return {'found', redis.call('HGETALL', session)}
`,
  encodeKeys(keys, out) {
    out.push(keys.session, keys.index);
  },
  encodeArgs(args, out) {
    out.push(args.handle, encodeInt("idleMs", args.idleMs), encodeInt("touchMs", args.touchMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "found":
        expectFields(fields, 1);
        return { status: "found", fields: decodeList(fields[1], decodeBytes) };
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
  merged: {
    name: "sessions.get (merged)",
    sha1: "4cd395c4f04c9638104c3059e1acff9677aa5155",
    lua: `-- sessions.get
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
local function run(keyAt, argAt)
  local session, index = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local handle, idleMs, touchMs = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3])
  local state, alias = find(session, index, handle, idleMs)
  if alias then return {'moved', alias} end
  if not state then return {'missing'} end
  touch(session, index, handle, idleMs, touchMs, state)
  return {'found', redis.call('HGETALL', session)}
end
local outcomes, size, argAt = {}, 0, 0
for keyAt = 0, #KEYS - 1, 2 do
  local ok, reply = pcall(run, keyAt, argAt)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  if reply == nil then reply = false end
  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply
  size, argAt = size + 2, argAt + 3
end
return outcomes
`,
  },
};
