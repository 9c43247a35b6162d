// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeInt, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeInt } from "../core/script/encode.ts";
import type { None, Script } from "../core/script/script.ts";

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

const WAIT_QUEUE = `local WAITER_GRACE_MS = 5000
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
`;

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
  name: "lock.acquire",
  sha1: "4661870b057cfc065574c1404cf419934e35dcee",
  lua: `-- lock.acquire
${NOW}${WAIT_QUEUE}local lock, fence, ended, queue, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
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

export interface ExtendKeys {
  readonly lock: Arg;
}

export interface ExtendArgs {
  readonly owner: string;
  readonly token: string;
  readonly ttlMs: number;
}

export type ExtendResult =
  | { readonly status: "extended" }
  | { readonly status: "expired" }
  | { readonly status: "stolen" };

/** Keep a hold for `ttlMs` from now, or as long as it lasts already. Never creates one. */
export const extend: Script<ExtendKeys, ExtendArgs, ExtendResult> = {
  class: "idempotent",
  name: "lock.extend",
  sha1: "41e36342fd19f0b01a42d736896e488290025fff",
  lua: `-- lock.extend
${NOW}local lock = KEYS[1]
local owner, token, ttlMs = ARGV[1], ARGV[2], tonumber(ARGV[3])
local state = redis.call('HMGET', lock, 'owner', token)
local holder, expiresAt = state[1], state[2]
if not expiresAt then
  if holder and holder ~= owner then return {'stolen'} end
  return {'expired'}
end
redis.call('HSET', lock, token, math.max(tonumber(expiresAt), now() + ttlMs))
redis.call('PEXPIRE', lock, ttlMs, 'GT')
return {'extended'}
`,
  encodeKeys(keys, out) {
    out.push(keys.lock);
  },
  encodeArgs(args, out) {
    out.push(args.owner, args.token, encodeInt("ttlMs", args.ttlMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "extended":
        expectFields(fields, 0);
        return { status: "extended" };
      case "expired":
        expectFields(fields, 0);
        return { status: "expired" };
      case "stolen":
        expectFields(fields, 0);
        return { status: "stolen" };
      default:
        throw new UnexpectedReplyError("one of extended, expired, stolen", reply);
    }
  },
};

export interface FencedSetKeys {
  readonly entry: Arg;
}

export interface FencedSetArgs {
  readonly fence: number;
  readonly ttlMs: number;
  readonly payload: Arg;
}

export type FencedSetResult =
  | { readonly status: "ok" }
  | { readonly status: "stale"; readonly fence: number };

/** Store a value unless one with a higher fence is there. */
export const fencedSet: Script<FencedSetKeys, FencedSetArgs, FencedSetResult> = {
  class: "idempotent",
  name: "lock.fencedSet",
  sha1: "6d1e16fc3961cd0398f0c4fd1a85961eaa9ec170",
  lua: `-- lock.fencedSet
local entry = KEYS[1]
local fence, ttlMs, payload = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local highest = tonumber(redis.call('HGET', entry, 'fence') or 0)
if fence < highest then return {'stale', highest} end
redis.call('HSET', entry, 'fence', string.format('%.0f', fence), 'value', payload)
redis.call('PEXPIRE', entry, ttlMs)
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.entry);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("fence", args.fence), encodeInt("ttlMs", args.ttlMs), args.payload);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "stale":
        expectFields(fields, 1);
        return { status: "stale", fence: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, stale", reply);
    }
  },
};

export interface InspectKeys {
  readonly lock: Arg;
  readonly alive: Arg;
}

export type InspectArgs = None;

export type InspectResult =
  | { readonly status: "free" }
  | { readonly status: "held"; readonly owner: string; readonly fence: number; readonly ttlMs: number; readonly waiters: number };

/** Who holds the lock, and how many wait for it. */
export const inspect: Script<InspectKeys, InspectArgs, InspectResult> = {
  class: "read",
  name: "lock.inspect",
  sha1: "c2e3a5093c9d561070aa0706e02fe6bb744a12a0",
  lua: `-- lock.inspect
${NOW}local lock, alive = KEYS[1], KEYS[2]
local state = redis.call('HMGET', lock, 'owner', 'fence')
if not state[1] then return {'free'} end
local waiters = redis.call('ZCOUNT', alive, now(), '+inf')
return {'held', state[1], tonumber(state[2]), redis.call('PTTL', lock), waiters}
`,
  encodeKeys(keys, out) {
    out.push(keys.lock, keys.alive);
  },
  encodeArgs() {},
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "free":
        expectFields(fields, 0);
        return { status: "free" };
      case "held":
        expectFields(fields, 4);
        return { status: "held", owner: decodeText(fields[1]), fence: decodeInt(fields[2]), ttlMs: decodeInt(fields[3]), waiters: decodeInt(fields[4]) };
      default:
        throw new UnexpectedReplyError("one of free, held", reply);
    }
  },
};

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
  name: "lock.release",
  sha1: "558aeffbcda40a37434b822fa5394db732b39213",
  lua: `-- lock.release
${NOW}${WAIT_QUEUE}local lock, ended, queue, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
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
