// Generated from release.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeBool } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface ReleaseKeys {
  readonly lock: Arg;
  readonly ended: Arg;
  readonly queue: Arg;
  readonly alive: Arg;
}

export interface ReleaseArgs {
  readonly owner: string;
  readonly token: string;
  readonly abandon: boolean;
  readonly wakeChannel: string;
}

export type ReleaseResult =
  | { readonly status: "released" }
  | { readonly status: "expired" }
  | { readonly status: "stolen" };

/** Give back a hold; with `abandon` end a request whose fate is unknown or which waits no longer. Wakes who waits longest. */
export const release: Script<ReleaseKeys, ReleaseArgs, ReleaseResult> = {
  class: "dedupable",
  name: "locks.release",
  sha1: "4dbeb11120bd2a12094457755c0b5105351d9c84",
  lua: `-- locks.release
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
local WAITER_GRACE_MS = 5000
local MAX_DEAD_PER_CALL = 100
local function expireNoEarlier(key, ttlMs)
  if redis.call('PEXPIRE', key, ttlMs, 'NX') == 0 then redis.call('PEXPIRE', key, ttlMs, 'GT') end
end
local function joinQueue(queue, alive, token, since, againMs)
  if since == 0 then since = nowMicros() end
  local ttlMs = math.max(againMs, 0) + WAITER_GRACE_MS
  redis.call('ZADD', queue, since, token)
  redis.call('ZADD', alive, now() + ttlMs, token)
  expireNoEarlier(queue, ttlMs)
  expireNoEarlier(alive, ttlMs)
  return since
end
local function leaveQueue(queue, alive, token)
  redis.call('ZREM', queue, token)
  redis.call('ZREM', alive, token)
end
local function wakeNext(queue, alive, channel)
  if redis.call('EXISTS', queue) == 0 then return end
  local dead = redis.call('ZRANGE', alive, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_DEAD_PER_CALL)
  for _, token in ipairs(dead) do leaveQueue(queue, alive, token) end
  local head = redis.call('ZPOPMIN', queue)[1]
  if head then
    redis.call('ZREM', alive, head)
    redis.call('PUBLISH', channel, head)
  end
end
local lock, ended, queue, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local owner, token, abandon, wakeChannel = ARGV[1], ARGV[2], ARGV[3] == '1', ARGV[4]
local ENDED_TTL_MS = 60000
local MAX_ENDED = 128
local function remember()
  if redis.call('LPUSH', ended, token) > MAX_ENDED then redis.call('LTRIM', ended, 0, MAX_ENDED / 2 - 1) end
  redis.call('PEXPIRE', ended, ENDED_TTL_MS)
end
local function drop()
  if redis.call('HLEN', lock) == 3 then return redis.call('DEL', lock) end
  redis.call('HDEL', lock, token)
  local fields = redis.call('HGETALL', lock)
  local latest = 0
  for at = 1, #fields, 2 do
    local field = fields[at]
    if field ~= 'owner' and field ~= 'fence' then latest = math.max(latest, tonumber(fields[at + 1])) end
  end
  redis.call('PEXPIREAT', lock, latest)
end
local state = redis.call('HMGET', lock, 'owner', token)
local holder, held = state[1], state[2]
if held then
  remember()
  drop()
  wakeNext(queue, alive, wakeChannel)
  return {'released'}
end
if redis.call('LPOS', ended, token) then return {'released'} end
if abandon then
  remember()
  leaveQueue(queue, alive, token)
end
if not holder then
  wakeNext(queue, alive, wakeChannel)
  return {'expired'}
end
if holder ~= owner then return {'stolen'} end
return {'expired'}
`,
  encodeKeys(keys, out) {
    out.push(keys.lock, keys.ended, keys.queue, keys.alive);
  },
  encodeArgs(args, out) {
    out.push(args.owner, args.token, encodeBool(args.abandon), args.wakeChannel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "released":
        expectFields(fields, 0);
        return { status: "released" };
      case "expired":
        expectFields(fields, 0);
        return { status: "expired" };
      case "stolen":
        expectFields(fields, 0);
        return { status: "stolen" };
      default:
        throw new UnexpectedReplyError("one of released, expired, stolen", reply);
    }
  },
};
