// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeInt, decodeUnion, expectFields } from "../core/script/decode.ts";
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
local ACCEPT_MS = 1000
local TOKEN_LENGTH = 36
local MAX_WATCHING = 4
local MAX_PER_CALL = 100
local function expireNoEarlier(key, ttlMs)
  if redis.call('PEXPIRE', key, ttlMs, 'NX') == 0 then redis.call('PEXPIRE', key, ttlMs, 'GT') end
end
local function joinQueue(queue, alive, member, since, againMs)
  if since == 0 then since = tonumber(redis.call('ZSCORE', queue, member) or 0) end
  if since == 0 then
    local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')[2]
    since = math.max(nowMicros(), (last or 0) + 1)
  end
  local ttlMs = math.min(math.max(againMs, 0), MAX_PAUSE_MS) + WAITER_GRACE_MS
  redis.call('ZADD', queue, since, member)
  redis.call('ZADD', alive, now() + ttlMs, member)
  expireNoEarlier(queue, ttlMs)
  expireNoEarlier(alive, ttlMs)
  return since
end
local function leaveQueue(queue, alive, member)
  redis.call('ZREM', queue, member)
  redis.call('ZREM', alive, member)
end
local function buryDead(queue, alive)
  local dead = redis.call('ZRANGE', alive, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_PER_CALL)
  for _, member in ipairs(dead) do leaveQueue(queue, alive, member) end
  local latest = now() + MAX_PAUSE_MS + WAITER_GRACE_MS
  local early = redis.call('ZRANGE', alive, '(' .. latest, '+inf', 'BYSCORE', 'LIMIT', 0, MAX_PER_CALL)
  for _, member in ipairs(early) do redis.call('ZADD', alive, latest, member) end
end
local function firstWaiters(queue, alive)
  buryDead(queue, alive)
  return redis.call('ZRANGE', queue, 0, MAX_WATCHING)
end
local function publishHanded(channel, taker, waiters)
  local message = 'handed ' .. string.sub(taker, 1, TOKEN_LENGTH)
  for _, member in ipairs(waiters) do
    if member ~= taker then message = message .. ' ' .. string.sub(member, 1, TOKEN_LENGTH) end
  end
  redis.call('PUBLISH', channel, message)
end
`;

const PHASES = `local KEEP_MS = 86400000
local MAX_ADMITTED = 1000
local function checkLost(lock)
  local count = redis.call('ZCARD', lock.holds)
  lock.lost = count > 0 and not lock.known or count == 0 and lock.untilMs > now()
  if count == 0 and not lock.lost and (lock.writer or lock.upgradable) then
    redis.call('HDEL', lock.state, 'writer', 'upgradable', 'upgrading')
    lock.writer, lock.upgradable, lock.upgrading = false, false, false
  end
end
local function open(holds, state, readers, writers, alive, channel)
  local known = redis.call('HMGET', state, 'writer', 'upgradable', 'upgrading', 'fence', 'ttl', 'until')
  local lock = {holds = holds, state = state, readers = readers, writers = writers, alive = alive, channel = channel}
  lock.writer, lock.upgradable, lock.upgrading, lock.known = known[1], known[2], known[3], known[4]
  lock.fence = tonumber(known[4] or nowMicros())
  lock.longestMs = tonumber(known[5] or 0)
  lock.untilMs = tonumber(known[6] or 0)
  local latest = now() + math.max(lock.longestMs, ACCEPT_MS)
  if lock.untilMs > latest then
    lock.untilMs = latest
    redis.call('HSET', state, 'until', latest)
  end
  checkLost(lock)
  return lock
end
local function forget(lock, token)
  local wasWriter = lock.writer == token
  if wasWriter then
    lock.writer = false
    redis.call('HDEL', lock.state, 'writer')
  end
  if lock.upgradable == token then
    lock.upgradable, lock.upgrading = false, false
    redis.call('HDEL', lock.state, 'upgradable', 'upgrading')
  end
  if redis.call('EXISTS', lock.holds) == 0 then
    lock.untilMs, lock.lost = 0, false
    if lock.known then redis.call('HSET', lock.state, 'until', 0) end
  end
  return wasWriter
end
local function purge(lock)
  local at = now()
  if lock.known then
    local latest = at + math.max(lock.longestMs, ACCEPT_MS)
    for _, token in ipairs(redis.call('ZRANGE', lock.holds, '(' .. latest, '+inf', 'BYSCORE', 'LIMIT', 0, MAX_PER_CALL)) do
      redis.call('ZADD', lock.holds, latest, token)
    end
  end
  local wasWriter = false
  for _, token in ipairs(redis.call('ZRANGE', lock.holds, '-inf', at, 'BYSCORE', 'LIMIT', 0, MAX_PER_CALL)) do
    redis.call('ZREM', lock.holds, token)
    if forget(lock, token) then wasWriter = true end
  end
  return wasWriter
end
local function leave(lock, member)
  redis.call('ZREM', lock.readers, member)
  redis.call('ZREM', lock.writers, member)
  redis.call('ZREM', lock.alive, member)
end
local function buryAll(lock)
  local at = now()
  for _, member in ipairs(redis.call('ZRANGE', lock.alive, '-inf', at, 'BYSCORE', 'LIMIT', 0, MAX_PER_CALL)) do
    leave(lock, member)
  end
  local latest = at + MAX_PAUSE_MS + WAITER_GRACE_MS
  for _, member in ipairs(redis.call('ZRANGE', lock.alive, '(' .. latest, '+inf', 'BYSCORE', 'LIMIT', 0, MAX_PER_CALL)) do
    redis.call('ZADD', lock.alive, latest, member)
  end
end
local function hand(lock, member, behind, own)
  local token = string.sub(member, 1, TOKEN_LENGTH)
  local untilMs = now() + ACCEPT_MS
  leave(lock, member)
  redis.call('ZADD', lock.holds, untilMs, token)
  lock.untilMs = math.max(lock.untilMs, untilMs)
  redis.call('HSET', lock.state, 'fence', lock.fence, 'until', lock.untilMs)
  lock.known = true
  local mode = string.sub(member, -1)
  if mode == 'w' then lock.writer = token end
  if mode == 'u' then lock.upgradable = token end
  if mode ~= 'r' then redis.call('HSET', lock.state, mode == 'w' and 'writer' or 'upgradable', token) end
  redis.call('PEXPIRE', lock.holds, KEEP_MS + math.max(lock.longestMs, ACCEPT_MS))
  redis.call('PEXPIRE', lock.state, KEEP_MS + math.max(lock.longestMs, ACCEPT_MS))
  if token ~= own then publishHanded(lock.channel, token, behind) end
end
local function admit(lock, afterWriter, own)
  buryAll(lock)
  if lock.lost or lock.writer then return end
  if lock.upgrading then
    if redis.call('ZCARD', lock.holds) == 1 and lock.upgrading ~= own then
      publishHanded(lock.channel, lock.upgrading, {})
    end
    return
  end
  local behind = redis.call('ZRANGE', lock.writers, 0, MAX_WATCHING - 1)
  if afterWriter or #behind == 0 then
    for _, member in ipairs(redis.call('ZRANGE', lock.readers, 0, MAX_ADMITTED - 1)) do
      if not lock.upgradable or string.sub(member, -1) == 'r' then hand(lock, member, behind, own) end
    end
  end
  if behind[1] and redis.call('EXISTS', lock.holds) == 0 then
    local next = redis.call('ZRANGE', lock.readers, 0, MAX_WATCHING - 2)
    next[#next + 1] = behind[2]
    hand(lock, behind[1], next, own)
  end
end
local function take(lock, token, mode, ttlMs)
  local endsAt = now() + ttlMs
  redis.call('ZADD', lock.holds, endsAt, token)
  if mode == 'w' then lock.fence = math.max(lock.fence + 1, nowMicros()) end
  lock.longestMs = math.max(lock.longestMs, ttlMs)
  lock.untilMs = math.max(lock.untilMs, endsAt)
  redis.call('HSET', lock.state, 'fence', lock.fence, 'ttl', lock.longestMs, 'until', lock.untilMs)
  if mode == 'w' then redis.call('HSET', lock.state, 'writer', token) end
  if mode == 'u' then redis.call('HSET', lock.state, 'upgradable', token) end
  redis.call('PEXPIRE', lock.holds, KEEP_MS + lock.longestMs)
  redis.call('PEXPIRE', lock.state, KEEP_MS + lock.longestMs)
  return lock.fence
end
local function lastEnd(lock, token)
  local last = redis.call('ZRANGE', lock.holds, -2, -1, 'WITHSCORES')
  local at = now()
  if #last == 4 and last[3] == token then return last[2] - at end
  return (last[#last] or lock.untilMs) - at
end
`;

export interface AbandonKeys {
  readonly holds: Arg;
  readonly state: Arg;
  readonly readers: Arg;
  readonly writers: Arg;
  readonly alive: Arg;
}

export interface AbandonArgs {
  readonly token: string;
  readonly mode: string;
  readonly wakeChannel: string;
}

export type AbandonResult =
  | { readonly status: "done" };

/** End a request that waits no longer or whose fate is unknown. */
export const abandon: Script<AbandonKeys, AbandonArgs, AbandonResult> = {
  class: "idempotent",
  name: "rwlock.abandon",
  sha1: "62e461d5b6e9d4b5f9655c6459c32ce2f688cd36",
  lua: `-- rwlock.abandon
${NOW}${WAIT_QUEUE}${PHASES}local holds, state, readers, writers, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local token, mode, wakeChannel = ARGV[1], ARGV[2], ARGV[3]
local lock = open(holds, state, readers, writers, alive, wakeChannel)
leave(lock, token .. ':' .. mode)
local wasWriter = redis.call('ZREM', holds, token) == 1 and forget(lock, token)
admit(lock, purge(lock) or wasWriter)
return {'done'}
`,
  encodeKeys(keys, out) {
    out.push(keys.holds, keys.state, keys.readers, keys.writers, keys.alive);
  },
  encodeArgs(args, out) {
    out.push(args.token, args.mode, args.wakeChannel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "done":
        expectFields(fields, 0);
        return { status: "done" };
      default:
        throw new UnexpectedReplyError("one of done", reply);
    }
  },
};

export interface AcquireKeys {
  readonly holds: Arg;
  readonly state: Arg;
  readonly readers: Arg;
  readonly writers: Arg;
  readonly alive: Arg;
}

export interface AcquireArgs {
  readonly token: string;
  readonly mode: string;
  readonly ttlMs: number;
  readonly queued: boolean;
  readonly since: number;
  readonly wakeChannel: string;
}

export type AcquireResult =
  | { readonly status: "acquired"; readonly fence: number }
  | { readonly status: "busy"; readonly ttlMs: number; readonly since: number };

/** Take the lock to read ('r'), to write ('w') or to read and perhaps write later ('u'), if it is this request's turn; else, if asked to, wait. */
export const acquire: Script<AcquireKeys, AcquireArgs, AcquireResult> = {
  class: "dedupable",
  name: "rwlock.acquire",
  sha1: "51ce79a1bbc728e7d0507093aa6c0d0cc3b70822",
  lua: `-- rwlock.acquire
${NOW}${WAIT_QUEUE}${PHASES}local holds, state, readers, writers, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local token, mode, ttlMs, queued, since, wakeChannel = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1', tonumber(ARGV[5]), ARGV[6]
local lock = open(holds, state, readers, writers, alive, wakeChannel)
local member = token .. ':' .. mode
local function mayEnter()
  if lock.lost or lock.writer or lock.upgrading or redis.call('EXISTS', writers) == 1 then return false end
  if mode == 'w' then return redis.call('EXISTS', holds) == 0 end
  return mode == 'r' or not lock.upgradable
end
local function againMs()
  local againMs = lastEnd(lock, '')
  local first = mode ~= 'w' and not lock.writer and redis.call('ZRANGE', writers, 0, 0)[1]
  if first then againMs = math.min(againMs, (redis.call('ZSCORE', alive, first) or 0) - now()) end
  return math.max(againMs, 1)
end
local isHeld = redis.call('ZSCORE', holds, token)
if not isHeld and queued then
  since = joinQueue(mode == 'w' and writers or readers, alive, member, since, MAX_PAUSE_MS)
  admit(lock, purge(lock), token)
  isHeld = redis.call('ZSCORE', holds, token)
elseif not isHeld and not mayEnter() then
  admit(lock, purge(lock))
end
if not isHeld and (queued or not mayEnter()) then
  local pauseMs = againMs()
  if queued then redis.call('ZADD', alive, now() + math.min(pauseMs, MAX_PAUSE_MS) + WAITER_GRACE_MS, member) end
  return {'busy', pauseMs, since}
end
local fence = take(lock, token, mode, ttlMs)
if queued then leave(lock, member) end
return {'acquired', fence}
`,
  encodeKeys(keys, out) {
    out.push(keys.holds, keys.state, keys.readers, keys.writers, keys.alive);
  },
  encodeArgs(args, out) {
    out.push(args.token, args.mode, encodeInt("ttlMs", args.ttlMs), encodeBool(args.queued), encodeInt("since", args.since), args.wakeChannel);
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
      default:
        throw new UnexpectedReplyError("one of acquired, busy", reply);
    }
  },
};

export interface DowngradeKeys {
  readonly holds: Arg;
  readonly state: Arg;
  readonly readers: Arg;
  readonly writers: Arg;
  readonly alive: Arg;
}

export interface DowngradeArgs {
  readonly token: string;
  readonly upgradable: boolean;
  readonly wakeChannel: string;
}

export type DowngradeResult =
  | { readonly status: "ok" }
  | { readonly status: "expired" };

/** Make the writer's hold one of a reader, or of the upgradable one that it was; nobody writes in between. */
export const downgrade: Script<DowngradeKeys, DowngradeArgs, DowngradeResult> = {
  class: "idempotent",
  name: "rwlock.downgrade",
  sha1: "f9a617d33eb61b0a8a65bf2f5115a00e5910672e",
  lua: `-- rwlock.downgrade
${NOW}${WAIT_QUEUE}${PHASES}local holds, state, readers, writers, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local token, upgradable, wakeChannel = ARGV[1], ARGV[2] == '1', ARGV[3]
local lock = open(holds, state, readers, writers, alive, wakeChannel)
if not redis.call('ZSCORE', holds, token) then return {'expired'} end
local wasWriter = lock.writer == token
if wasWriter then
  redis.call('HDEL', state, 'writer')
  lock.writer = false
end
if lock.upgradable == token then
  redis.call('HDEL', state, 'upgrading')
  lock.upgrading = false
  if not upgradable then
    redis.call('HDEL', state, 'upgradable')
    lock.upgradable = false
  end
end
admit(lock, purge(lock) or wasWriter)
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.holds, keys.state, keys.readers, keys.writers, keys.alive);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeBool(args.upgradable), args.wakeChannel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "expired":
        expectFields(fields, 0);
        return { status: "expired" };
      default:
        throw new UnexpectedReplyError("one of ok, expired", reply);
    }
  },
};

export interface ExtendKeys {
  readonly holds: Arg;
  readonly state: Arg;
}

export interface ExtendArgs {
  readonly token: string;
  readonly ttlMs: number;
}

export type ExtendResult =
  | { readonly status: "extended" }
  | { readonly status: "expired" };

/** Keep a hold for `ttlMs` from now, or as long as it lasts already. Never creates one. */
export const extend: Script<ExtendKeys, ExtendArgs, ExtendResult> = {
  class: "idempotent",
  name: "rwlock.extend",
  sha1: "eb3fed8a66d36d874bc762ad4e0dcf00b2ff4d09",
  lua: `-- rwlock.extend
${NOW}local holds, state = KEYS[1], KEYS[2]
local token, ttlMs = ARGV[1], tonumber(ARGV[2])
local KEEP_MS = 86400000
if not redis.call('ZSCORE', holds, token) then return {'expired'} end
redis.call('PEXPIRE', holds, KEEP_MS + ttlMs, 'GT')
redis.call('PEXPIRE', state, KEEP_MS + ttlMs, 'GT')
local endsAt = now() + ttlMs
redis.call('ZADD', holds, 'XX', 'GT', endsAt, token)
local known = redis.call('HMGET', state, 'fence', 'ttl', 'until')
if known[1] then
  redis.call('HSET', state, 'ttl', math.max(known[2] or 0, ttlMs), 'until', math.max(known[3] or 0, endsAt))
end
return {'extended'}
`,
  encodeKeys(keys, out) {
    out.push(keys.holds, keys.state);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("ttlMs", args.ttlMs));
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
      default:
        throw new UnexpectedReplyError("one of extended, expired", reply);
    }
  },
};

export interface InspectKeys {
  readonly holds: Arg;
  readonly state: Arg;
  readonly readers: Arg;
  readonly writers: Arg;
}

export type InspectArgs = None;

export type InspectResult =
  | { readonly status: "lock"; readonly writing: boolean; readonly upgradable: boolean; readonly holders: number; readonly fence: number; readonly ttlMs: number; readonly waitingReaders: number; readonly waitingWriters: number };

/** Who holds the lock, and how many wait for it. */
export const inspect: Script<InspectKeys, InspectArgs, InspectResult> = {
  class: "read",
  name: "rwlock.inspect",
  sha1: "1bac852795e6a18e7dbdebc980024277e3a8cfd1",
  lua: `-- rwlock.inspect
${NOW}local holds, state, readers, writers = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local at = now()
local known = redis.call('HMGET', state, 'writer', 'upgradable', 'fence')
local last = redis.call('ZRANGE', holds, -1, -1, 'WITHSCORES')
local function isLive(token)
  return (token and tonumber(redis.call('ZSCORE', holds, token) or 0) or 0) > at
end
return {
  'lock',
  isLive(known[1]),
  isLive(known[2]),
  redis.call('ZCOUNT', holds, '(' .. at, '+inf'),
  tonumber(known[3] or 0),
  math.max((last[2] or 0) - at, 0),
  redis.call('ZCARD', readers),
  redis.call('ZCARD', writers),
}
`,
  encodeKeys(keys, out) {
    out.push(keys.holds, keys.state, keys.readers, keys.writers);
  },
  encodeArgs() {},
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "lock":
        expectFields(fields, 7);
        return { status: "lock", writing: decodeBool(fields[1]), upgradable: decodeBool(fields[2]), holders: decodeInt(fields[3]), fence: decodeInt(fields[4]), ttlMs: decodeInt(fields[5]), waitingReaders: decodeInt(fields[6]), waitingWriters: decodeInt(fields[7]) };
      default:
        throw new UnexpectedReplyError("one of lock", reply);
    }
  },
};

export interface ReleaseKeys {
  readonly holds: Arg;
  readonly state: Arg;
  readonly readers: Arg;
  readonly writers: Arg;
  readonly alive: Arg;
}

export interface ReleaseArgs {
  readonly token: string;
  readonly wakeChannel: string;
}

export type ReleaseResult =
  | { readonly status: "released" }
  | { readonly status: "gone" };

/** Give back a hold, and let in those whose turn it is. */
export const release: Script<ReleaseKeys, ReleaseArgs, ReleaseResult> = {
  class: "dedupable",
  name: "rwlock.release",
  sha1: "57c0f1284cbe31ebf9d771e6a610c97a96010969",
  lua: `-- rwlock.release
${NOW}${WAIT_QUEUE}${PHASES}local holds, state, readers, writers, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local token, wakeChannel = ARGV[1], ARGV[2]
local lock = open(holds, state, readers, writers, alive, wakeChannel)
if redis.call('ZREM', holds, token) == 0 then return {'gone'} end
local wasWriter = forget(lock, token)
admit(lock, purge(lock) or wasWriter)
return {'released'}
`,
  encodeKeys(keys, out) {
    out.push(keys.holds, keys.state, keys.readers, keys.writers, keys.alive);
  },
  encodeArgs(args, out) {
    out.push(args.token, args.wakeChannel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "released":
        expectFields(fields, 0);
        return { status: "released" };
      case "gone":
        expectFields(fields, 0);
        return { status: "gone" };
      default:
        throw new UnexpectedReplyError("one of released, gone", reply);
    }
  },
};

export interface UpgradeKeys {
  readonly holds: Arg;
  readonly state: Arg;
  readonly readers: Arg;
  readonly writers: Arg;
  readonly alive: Arg;
}

export interface UpgradeArgs {
  readonly token: string;
  readonly ttlMs: number;
  readonly queued: boolean;
  readonly wakeChannel: string;
}

export type UpgradeResult =
  | { readonly status: "acquired"; readonly fence: number }
  | { readonly status: "busy"; readonly ttlMs: number }
  | { readonly status: "expired" };

/** Make the upgradable hold the writer's once all readers have left; while it waits, nobody else is let in. */
export const upgrade: Script<UpgradeKeys, UpgradeArgs, UpgradeResult> = {
  class: "dedupable",
  name: "rwlock.upgrade",
  sha1: "d6670ac43d240baf56d294c7be2baa62d1349f47",
  lua: `-- rwlock.upgrade
${NOW}${WAIT_QUEUE}${PHASES}local holds, state, readers, writers, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local token, ttlMs, queued, wakeChannel = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4]
local lock = open(holds, state, readers, writers, alive, wakeChannel)
purge(lock)
if lock.upgradable ~= token or not redis.call('ZSCORE', holds, token) then return {'expired'} end
if lock.writer == token or redis.call('ZCARD', holds) == 1 then
  redis.call('HDEL', state, 'upgrading')
  return {'acquired', take(lock, token, 'w', ttlMs)}
end
if queued then redis.call('HSET', state, 'upgrading', token) end
return {'busy', math.max(lastEnd(lock, token), 1)}
`,
  encodeKeys(keys, out) {
    out.push(keys.holds, keys.state, keys.readers, keys.writers, keys.alive);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("ttlMs", args.ttlMs), encodeBool(args.queued), args.wakeChannel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "acquired":
        expectFields(fields, 1);
        return { status: "acquired", fence: decodeInt(fields[1]) };
      case "busy":
        expectFields(fields, 1);
        return { status: "busy", ttlMs: decodeInt(fields[1]) };
      case "expired":
        expectFields(fields, 0);
        return { status: "expired" };
      default:
        throw new UnexpectedReplyError("one of acquired, busy, expired", reply);
    }
  },
};
