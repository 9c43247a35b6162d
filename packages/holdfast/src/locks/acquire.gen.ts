// Generated from acquire.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeInt, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeBool, encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface AcquireKeys {
  readonly lock: Arg;
  readonly fence: Arg;
  readonly ended: Arg;
  readonly queue: Arg;
  readonly alive: Arg;
}

export interface AcquireArgs {
  readonly owner: string;
  readonly token: string;
  readonly ttlMs: number;
  readonly queued: boolean;
  readonly since: number;
}

export type AcquireResult =
  | { readonly status: "acquired"; readonly fence: number }
  | { readonly status: "busy"; readonly ttlMs: number; readonly since: number }
  | { readonly status: "crowded" };

/** Take the lock if it is free or this owner's already; else, if asked to, join the queue of those who wait for it. */
export const acquire: Script<AcquireKeys, AcquireArgs, AcquireResult> = {
  class: "dedupable",
  name: "locks.acquire",
  sha1: "60b5036577e6dfb2cc0b9ad027492b114511c95e",
  lua: `-- locks.acquire
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
local lock, fence, ended, queue, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local owner, token, ttlMs, queued, since = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1', tonumber(ARGV[5])
local MAX_HOLDS = 100
local function isCrowded()
  if redis.call('HLEN', lock) - 2 < MAX_HOLDS then return false end
  local fields = redis.call('HGETALL', lock)
  local live = 0
  for at = 1, #fields, 2 do
    local field, expiresAt = fields[at], tonumber(fields[at + 1])
    if field ~= 'owner' and field ~= 'fence' then
      if expiresAt > now() then live = live + 1 else redis.call('HDEL', lock, field) end
    end
  end
  return live >= MAX_HOLDS
end
local FENCE_TTL_MS = 86400000
local function nextFence()
  local last = tonumber(redis.call('GET', fence) or 0)
  return string.format('%.0f', math.max(last + 1, nowMicros()))
end
if redis.call('LPOS', ended, token) then return {'busy', 0, since} end
local state = redis.call('HMGET', lock, 'owner', 'fence', token)
local holder, number, held = state[1], state[2], state[3]
if holder and holder ~= owner then
  local leftMs = redis.call('PTTL', lock)
  if queued then since = joinQueue(queue, alive, token, since, leftMs) end
  return {'busy', leftMs, since}
end
if holder and not held and isCrowded() then return {'crowded'} end
if queued then leaveQueue(queue, alive, token) end
if holder then
  redis.call('HSET', lock, token, now() + ttlMs)
else
  number = nextFence()
  redis.call('SET', fence, number, 'PX', FENCE_TTL_MS)
  redis.call('HSET', lock, 'owner', owner, 'fence', number, token, now() + ttlMs)
end
expireNoEarlier(lock, ttlMs)
return {'acquired', tonumber(number)}
`,
  encodeKeys(keys, out) {
    out.push(keys.lock, keys.fence, keys.ended, keys.queue, keys.alive);
  },
  encodeArgs(args, out) {
    out.push(args.owner, args.token, encodeInt("ttlMs", args.ttlMs), encodeBool(args.queued), encodeInt("since", args.since));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "acquired":
        expectFields(fields, 1);
        return { status: "acquired", fence: decodeInt(fields[1]) };
      case "busy":
        expectFields(fields, 2);
        return { status: "busy", ttlMs: decodeInt(fields[1]), since: decodeInt(fields[2]) };
      case "crowded":
        expectFields(fields, 0);
        return { status: "crowded" };
      default:
        throw new UnexpectedReplyError("one of acquired, busy, crowded", reply);
    }
  },
};
