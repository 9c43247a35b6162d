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

const WAIT_QUEUE = `local MAX_PAUSE_MS = 30000
local WAITER_GRACE_MS = 5000
local MAX_PER_CALL = 100
local function expireNoEarlier(key, ttlMs)
  if redis.call('PEXPIRE', key, ttlMs, 'NX') == 0 then redis.call('PEXPIRE', key, ttlMs, 'GT') end
end
local function joinQueue(queue, alive, token, since, againMs)
  if since == 0 then
    local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')[2]
    since = math.max(nowMicros(), (last or 0) + 1)
  end
  local ttlMs = math.min(math.max(againMs, 0), MAX_PAUSE_MS) + WAITER_GRACE_MS
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
  local dead = redis.call('ZRANGE', alive, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_PER_CALL)
  for _, token in ipairs(dead) do leaveQueue(queue, alive, token) end
  local head = redis.call('ZPOPMIN', queue)[1]
  if not head then return end
  redis.call('ZREM', alive, head)
  redis.call('PUBLISH', channel, head)
  local latest = now() + MAX_PAUSE_MS + WAITER_GRACE_MS
  local early = redis.call('ZRANGE', alive, '(' .. latest, '+inf', 'BYSCORE', 'LIMIT', 0, MAX_PER_CALL)
  for _, token in ipairs(early) do redis.call('ZADD', alive, latest, token) end
end
`;

const HOLD = `local FENCE_TTL_MS = 86400000
local HEAD_FIELDS = 3
local function keepFor(lock, fence, ttlMs)
  redis.call('PEXPIRE', lock, ttlMs, 'GT')
  redis.call('PEXPIRE', fence, FENCE_TTL_MS + ttlMs, 'GT')
end
local function markHeld(fence, number, ttlMs)
  redis.call('SET', fence, string.format('%s:%.0f', number, ttlMs), 'PX', FENCE_TTL_MS + ttlMs)
end
local function markFree(fence, number)
  redis.call('SET', fence, number, 'PX', FENCE_TTL_MS)
end
local function surveyHolds(lock, longestMs, removeDead)
  local fields = redis.call('HGETALL', lock)
  local live, latest = 0, 0
  for at = 1, #fields, 2 do
    local field = fields[at]
    if field ~= 'owner' and field ~= 'fence' and field ~= 'ttl' then
      local leftMs = tonumber(fields[at + 1]) - now()
      if leftMs > longestMs then
        leftMs = longestMs
        redis.call('HSET', lock, field, now() + leftMs)
      end
      if leftMs > 0 then live = live + 1 elseif removeDead then redis.call('HDEL', lock, field) end
      latest = math.max(latest, leftMs)
    end
  end
  return live, latest
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
  readonly lateCopies: boolean;
}

export type AcquireResult =
  | { readonly status: "acquired"; readonly fence: number }
  | { readonly status: "busy"; readonly ttlMs: number; readonly since: number }
  | { readonly status: "crowded" };

/** Take the lock if it is free or this owner's already; else, if asked to, join the queue of its waiters. */
export const acquire: Script<AcquireKeys, AcquireArgs, AcquireResult> = {
  class: "dedupable",
  name: "lock.acquire",
  sha1: "c1c543d61acfed54e0daa97227de5148888ebcaa",
  lua: `-- lock.acquire
${NOW}${WAIT_QUEUE}${HOLD}local lock, fence, ended, queue, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local owner, token, ttlMs, queued, since, lateCopies = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1', tonumber(ARGV[5]), ARGV[6] == '1'
local MAX_HOLDS = 100
local function isCrowded(longestMs)
  if redis.call('HLEN', lock) - HEAD_FIELDS < MAX_HOLDS then return false end
  return surveyHolds(lock, longestMs, true) >= MAX_HOLDS
end
local function busy(leftMs)
  if queued then since = joinQueue(queue, alive, token, since, leftMs) end
  return {'busy', leftMs, since}
end
local function boundedTtl(key, mostMs)
  local leftMs = redis.call('PTTL', key)
  if leftMs >= 0 and leftMs <= mostMs then return leftMs end
  redis.call('PEXPIRE', key, mostMs)
  return mostMs
end
if lateCopies and redis.call('LPOS', ended, token) then return {'busy', 0, since} end
local state = redis.call('HMGET', lock, 'owner', 'fence', token, 'ttl')
local holder, number, held, longestMs = state[1], state[2], state[3], tonumber(state[4])
if holder and holder ~= owner then return busy(boundedTtl(lock, longestMs)) end
if holder and not held and isCrowded(longestMs) then return {'crowded'} end
if not holder then
  local last, lastTtl = string.match(redis.call('GET', fence) or '0', '^(%d+):?(%d*)$')
  lastTtl = tonumber(lastTtl)
  if lastTtl then
    local leftMs = boundedTtl(fence, FENCE_TTL_MS + lastTtl) - FENCE_TTL_MS
    if leftMs > 0 then return busy(leftMs) end
  end
  number = string.format('%.0f', math.max(last + 1, nowMicros()))
end
redis.call('HSET', lock, token, now() + ttlMs)
if holder and ttlMs <= longestMs then
  keepFor(lock, fence, ttlMs)
else
  redis.call('HSET', lock, 'owner', owner, 'fence', number, 'ttl', ttlMs)
  redis.call('PEXPIRE', lock, ttlMs)
  markHeld(fence, number, ttlMs)
end
if queued then leaveQueue(queue, alive, token) end
return {'acquired', tonumber(number)}
`,
  encodeKeys(keys, out) {
    out.push(keys.lock, keys.fence, keys.ended, keys.queue, keys.alive);
  },
  encodeArgs(args, out) {
    out.push(args.owner, args.token, encodeInt("ttlMs", args.ttlMs), encodeBool(args.queued), encodeInt("since", args.since), encodeBool(args.lateCopies));
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
  readonly fence: Arg;
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
  sha1: "29d129ba3fb0caa7e16f6ef39805ad640378652f",
  lua: `-- lock.extend
${NOW}${HOLD}local lock, fence = KEYS[1], KEYS[2]
local owner, token, ttlMs = ARGV[1], ARGV[2], tonumber(ARGV[3])
local state = redis.call('HMGET', lock, 'owner', token, 'ttl', 'fence')
local holder, expiresAt, longestMs, number = state[1], state[2], tonumber(state[3]), state[4]
if not expiresAt then
  if holder and holder ~= owner then return {'stolen'} end
  return {'expired'}
end
keepFor(lock, fence, ttlMs)
local latest = now() + math.max(ttlMs, longestMs)
redis.call('HSET', lock, token, math.min(math.max(tonumber(expiresAt), now() + ttlMs), latest))
if ttlMs > longestMs then
  redis.call('HSET', lock, 'ttl', ttlMs)
  markHeld(fence, number, ttlMs)
end
return {'extended'}
`,
  encodeKeys(keys, out) {
    out.push(keys.lock, keys.fence);
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
  readonly fence: Arg;
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

/** Give back a hold; with `abandon` end a request whose fate is unknown or which waits no longer. Wakes the first waiter. */
export const release: Script<ReleaseKeys, ReleaseArgs, ReleaseResult> = {
  class: "dedupable",
  name: "lock.release",
  sha1: "6dd3bdbc38e4a4dfbdfd8e1471c49602ad00332f",
  lua: `-- lock.release
${NOW}${WAIT_QUEUE}${HOLD}local lock, fence, ended, queue, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local owner, token, abandon, wakeChannel = ARGV[1], ARGV[2], ARGV[3] == '1', ARGV[4]
local ENDED_TTL_MS = 60000
local MAX_ENDED = 128
local function remember()
  if redis.call('LPUSH', ended, token) > MAX_ENDED then redis.call('LTRIM', ended, 0, MAX_ENDED / 2 - 1) end
  redis.call('PEXPIRE', ended, ENDED_TTL_MS)
end
local function drop(number, longestMs)
  if redis.call('HLEN', lock) > HEAD_FIELDS + 1 then
    redis.call('HDEL', lock, token)
    local live, latestMs = surveyHolds(lock, longestMs, false)
    if live > 0 then
      redis.call('PEXPIRE', lock, latestMs, 'LT')
      redis.call('PEXPIRE', fence, FENCE_TTL_MS + latestMs, 'LT')
      return
    end
  end
  redis.call('DEL', lock)
  markFree(fence, number)
end
local state = redis.call('HMGET', lock, 'owner', token, 'fence', 'ttl')
local holder, held = state[1], state[2]
if held then
  drop(state[3], tonumber(state[4]))
  remember()
  wakeNext(queue, alive, wakeChannel)
  return {'released'}
end
if redis.call('LPOS', ended, token) then return {'released'} end
if abandon then
  leaveQueue(queue, alive, token)
  remember()
end
if not holder then
  wakeNext(queue, alive, wakeChannel)
  return {'expired'}
end
if holder ~= owner then return {'stolen'} end
return {'expired'}
`,
  encodeKeys(keys, out) {
    out.push(keys.lock, keys.fence, keys.ended, keys.queue, keys.alive);
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
