// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeInt, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeInt } from "../core/script/encode.ts";
import type { BatchScript, None, Script } from "../core/script/script.ts";

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

const HOLD = `local FENCE_TTL_MS = 86400000
local HANDLE_LENGTH = 8
local function readLock(lock)
  local text = redis.call('GET', lock)
  if not text then return end
  local holder, number, ttlMs, marked = string.match(text, '^(.*) (%d+) (%d+)( ?w?)$')
  return holder, number, tonumber(ttlMs), marked == ' w'
end
local function readFence(fence)
  local last, ttlMs, released = string.match(redis.call('GET', fence) or '0', '^(%d+)[: ]?(%d*) ?(%d*)$')
  return tonumber(last), tonumber(ttlMs) or 0, tonumber(released) and released or '0'
end
local function boundedTtl(key, mostMs)
  local leftMs = redis.call('PTTL', key)
  if leftMs >= 0 and leftMs <= mostMs then return leftMs end
  redis.call('PEXPIRE', key, mostMs)
  return mostMs
end
local function evictedMs(fence, heldMs)
  if heldMs == 0 then return 0 end
  return boundedTtl(fence, FENCE_TTL_MS + heldMs) - FENCE_TTL_MS
end
local function writeLock(lock, holder, number, ttlMs, marked, ...)
  redis.call('SET', lock, holder .. ' ' .. number .. string.format(' %.0f', ttlMs) .. (marked and ' w' or ''), ...)
end
local function markHeld(fence, number, ttlMs, released)
  redis.call('SET', fence, string.format('%s %.0f %s', number, ttlMs, released), 'PX', string.format('%.0f', FENCE_TTL_MS + ttlMs))
end
local function keepFor(keys, token, ttlMs)
  local holder, number, longestMs, marked = readLock(keys.lock)
  redis.call('PEXPIRE', keys.lock, ttlMs, 'GT')
  redis.call('PEXPIRE', keys.fence, FENCE_TTL_MS + ttlMs, 'GT')
  if ttlMs > longestMs then
    local _, _, released = readFence(keys.fence)
    writeLock(keys.lock, holder, number, ttlMs, marked, 'KEEPTTL')
    markHeld(keys.fence, number, ttlMs, released)
  end
  if holder == token then return end
  local expiresAt = math.max(tonumber(redis.call('HGET', keys.holds, token)), now() + ttlMs)
  redis.call('HSET', keys.holds, token, math.min(expiresAt, now() + math.max(ttlMs, longestMs)))
  redis.call('PEXPIRE', keys.holds, ttlMs, 'GT')
end
local function grant(keys, owner, token, ttlMs, last, released, marked)
  local number = string.format('%.0f', math.max(last + 1, nowMicros()))
  writeLock(keys.lock, owner == '' and token or '=' .. owner, number, ttlMs, marked, 'PX', ttlMs)
  markHeld(keys.fence, number, ttlMs, released)
  if owner ~= '' then
    redis.call('DEL', keys.holds)
    redis.call('HSET', keys.holds, token, now() + ttlMs)
    redis.call('PEXPIRE', keys.holds, ttlMs)
  end
  return number
end
local function handOver(keys, last, released, channel, giver, handMs)
  if redis.call('EXISTS', keys.queue) == 0 then return end
  local waiters = firstWaiters(keys.queue, keys.alive)
  local taker = waiters[1]
  if not taker then return end
  local token, owner = string.sub(taker, 1, TOKEN_LENGTH), string.sub(taker, TOKEN_LENGTH + 1)
  local isNear = giver and owner == '' and string.sub(giver, 1, HANDLE_LENGTH) == string.sub(token, 1, HANDLE_LENGTH)
  local number = grant(keys, owner, token, isNear and handMs or ACCEPT_MS, last, released, waiters[2])
  leaveQueue(keys.queue, keys.alive, taker)
  if isNear then return token, number, waiters[2] ~= nil end
  publishHanded(channel, taker, waiters)
  return token
end
local function surveyHolds(holds, longestMs, removeDead)
  local fields = redis.call('HGETALL', holds)
  local live, latest = 0, 0
  for at = 1, #fields, 2 do
    local leftMs = tonumber(fields[at + 1]) - now()
    if leftMs > longestMs then
      leftMs = longestMs
      redis.call('HSET', holds, fields[at], now() + leftMs)
    end
    if leftMs > 0 then live = live + 1 elseif removeDead then redis.call('HDEL', holds, fields[at]) end
    latest = math.max(latest, leftMs)
  end
  return live, latest
end
`;

const ENDED = `local ENDED_TTL_MS = 60000
local MAX_ENDED = 128
local function rememberEnded(ended, token)
  if redis.call('LPUSH', ended, token) > MAX_ENDED then redis.call('LTRIM', ended, 0, MAX_ENDED / 2 - 1) end
  redis.call('PEXPIRE', ended, ENDED_TTL_MS)
end
`;

const BROKEN = `local MAX_BROKEN = 256
local function noteBroken(keys, member, leftMs)
  redis.call('ZADD', keys.broken, now(), member)
  redis.call('ZREMRANGEBYRANK', keys.broken, 0, -MAX_BROKEN - 1)
  expireNoEarlier(keys.broken, leftMs + ENDED_TTL_MS)
end
local function breakHold(keys, token, number, leftMs, lateCopies, channel)
  noteBroken(keys, token .. ' ' .. number, leftMs)
  if lateCopies then rememberEnded(keys.ended, token) end
  redis.call('PUBLISH', channel, token)
end
`;

const ID_INDEX = `local function unindex(value, ids, ends, id)
  if ids == value then return end
  redis.call('ZREM', ids, id)
  redis.call('ZREM', ends, id)
end
local function index(value, ids, ends, id, keepMs)
  if ids == value then return end
  local leftMs = redis.call('PTTL', ids)
  redis.call('ZADD', ids, 0, id)
  redis.call('ZADD', ends, keepMs < 0 and 'inf' or now() + keepMs, id)
  for _, over in ipairs(redis.call('ZRANGE', ends, '-inf', now() - 1, 'BYSCORE', 'LIMIT', 0, 2)) do
    unindex(value, ids, ends, over)
  end
  if keepMs < 0 then
    redis.call('PERSIST', ids)
    redis.call('PERSIST', ends)
  elseif leftMs == -2 or (leftMs >= 0 and leftMs < keepMs) then
    redis.call('PEXPIRE', ids, keepMs)
    redis.call('PEXPIRE', ends, keepMs)
  end
end
`;

export interface AcquireKeys {
  readonly lock: Arg;
  readonly fence: Arg;
  readonly holds: Arg;
  readonly ended: Arg;
  readonly queue: Arg;
  readonly alive: Arg;
}

export interface AcquireArgs {
  /** "" where the request shares the lock with nobody */
  readonly owner: string;
  readonly token: string;
  readonly ttlMs: number;
  readonly queued: boolean;
  readonly since: number;
  readonly lateCopies: boolean;
  readonly wakeChannel: string;
}

export type AcquireResult =
  | { readonly status: "acquired"; readonly fence: number; readonly contended: boolean }
  | { readonly status: "busy"; readonly ttlMs: number; readonly since: number }
  | { readonly status: "crowded" };

/** Take the lock if it is free or this owner's already; else, if asked to, join the queue of its waiters. */
export const acquire: Script<AcquireKeys, AcquireArgs, AcquireResult> = {
  class: "dedupable",
  name: "lock.acquire",
  sha1: "be926f2e73e8bca38c38d99d11b0ccaaa72eb7e3",
  lua: `-- lock.acquire
${NOW}${WAIT_QUEUE}${HOLD}local lock, fence, holds, ended, queue, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local owner, token, ttlMs, queued, since, lateCopies, wakeChannel = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1', tonumber(ARGV[5]), ARGV[6] == '1', ARGV[7]
local MAX_HOLDS = 100
local keys = { lock = lock, fence = fence, holds = holds, queue = queue, alive = alive }
local me = owner == '' and token or '=' .. owner
local member = token .. owner
local function isCrowded(longestMs)
  if redis.call('HLEN', holds) < MAX_HOLDS then return false end
  return surveyHolds(holds, longestMs, true) >= MAX_HOLDS
end
local function noteEvicted(leftMs)
  redis.call('HSET', holds, 'evicted', now() + leftMs)
  redis.call('PEXPIRE', holds, leftMs)
end
local function busy(leftMs)
  if not queued then return {'busy', leftMs, since} end
  since = joinQueue(queue, alive, member, since, leftMs)
  local holder, number, ttlMs, marked = readLock(lock)
  if holder and not marked then writeLock(lock, holder, number, ttlMs, true, 'KEEPTTL') end
  return {'busy', leftMs, since}
end
local function isBehind(first)
  if not first or first == member then return false end
  return since == 0 or since > tonumber(redis.call('ZSCORE', queue, first))
end
if lateCopies and redis.call('LPOS', ended, token) then return {'busy', ACCEPT_MS, since} end
local holder, number, longestMs, marked = readLock(lock)
if holder and holder ~= me then return busy(boundedTtl(lock, longestMs)) end
if holder then
  if owner ~= '' and redis.call('HEXISTS', holds, token) == 0 then
    if redis.call('EXISTS', holds) == 0 then noteEvicted(boundedTtl(lock, longestMs)) end
    if isCrowded(longestMs) then return {'crowded'} end
    redis.call('HSET', holds, token, now() + ttlMs)
  end
  keepFor(keys, token, ttlMs)
else
  local last, heldMs, released = readFence(fence)
  local leftMs = evictedMs(fence, heldMs)
  if leftMs > 0 then return busy(leftMs) end
  local waiters = {}
  if redis.call('EXISTS', queue) == 1 then waiters = firstWaiters(queue, alive) end
  if isBehind(waiters[1]) then
    handOver(keys, last, released, wakeChannel)
    return busy(ACCEPT_MS)
  end
  marked = #waiters > 1 or (#waiters == 1 and waiters[1] ~= member)
  number = grant(keys, owner, token, ttlMs, last, released, marked)
end
if queued then leaveQueue(queue, alive, member) end
return {'acquired', tonumber(number), marked}
`,
  encodeKeys(keys, out) {
    out.push(keys.lock, keys.fence, keys.holds, keys.ended, keys.queue, keys.alive);
  },
  encodeArgs(args, out) {
    out.push(args.owner, args.token, encodeInt("ttlMs", args.ttlMs), encodeBool(args.queued), encodeInt("since", args.since), encodeBool(args.lateCopies), args.wakeChannel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "acquired":
        expectFields(fields, 2);
        return { status: "acquired", fence: decodeInt(fields[1]), contended: decodeBool(fields[2]) };
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

export interface ConfirmKeys {
  readonly lock: Arg;
  readonly holds: Arg;
}

export interface ConfirmArgs {
  readonly owner: string;
  readonly token: string;
}

export type ConfirmResult =
  | { readonly status: "ok" }
  | { readonly status: "lost" };

/** Writes to a hold what is there already: whoever has this write has the grant and the renewals before it. */
export const confirm: Script<ConfirmKeys, ConfirmArgs, ConfirmResult> = {
  class: "idempotent",
  name: "lock.confirm",
  sha1: "685d201b4fcedf2624ad444b8783558adf2aaf4a",
  lua: `-- lock.confirm
${NOW}${WAIT_QUEUE}${HOLD}local lock, holds = KEYS[1], KEYS[2]
local owner, token = ARGV[1], ARGV[2]
local holder, _, longestMs = readLock(lock)
local isShared = owner ~= ''
if holder ~= (isShared and '=' .. owner or token) then return 'lost' end
if isShared and redis.call('HEXISTS', holds, token) == 0 then return 'lost' end
redis.call('PEXPIRE', lock, boundedTtl(lock, longestMs))
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.lock, keys.holds);
  },
  encodeArgs(args, out) {
    out.push(args.owner, args.token);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "lost":
        expectFields(fields, 0);
        return { status: "lost" };
      default:
        throw new UnexpectedReplyError("one of ok, lost", reply);
    }
  },
};

export interface ExtendKeys {
  readonly lock: Arg;
  readonly fence: Arg;
  readonly holds: Arg;
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
  sha1: "1840da7e96df75cb95e512f0b91fe08777815196",
  lua: `-- lock.extend
${NOW}${WAIT_QUEUE}${HOLD}local lock, fence, holds = KEYS[1], KEYS[2], KEYS[3]
local owner, token, ttlMs = ARGV[1], ARGV[2], tonumber(ARGV[3])
local me = owner == '' and token or '=' .. owner
local holder = readLock(lock)
if holder and holder ~= me then return 'stolen' end
if not holder or (owner ~= '' and redis.call('HEXISTS', holds, token) == 0) then return 'expired' end
keepFor({ lock = lock, fence = fence, holds = holds }, token, ttlMs)
return 'extended'
`,
  encodeKeys(keys, out) {
    out.push(keys.lock, keys.fence, keys.holds);
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

export interface ForceReleaseKeys {
  readonly lock: Arg;
  readonly fence: Arg;
  readonly holds: Arg;
  readonly ended: Arg;
  readonly queue: Arg;
  readonly alive: Arg;
  readonly broken: Arg;
}

export interface ForceReleaseArgs {
  /** of this call, the same in all its attempts */
  readonly id: string;
  /** an earlier attempt may have been executed */
  readonly repeated: boolean;
  readonly lateCopies: boolean;
  readonly wakeChannel: string;
}

export type ForceReleaseResult =
  | { readonly status: "ended"; readonly owner: string; readonly fence: number; readonly raised: number }
  | { readonly status: "free" };

/** End the hold, whoever has it, raise the fence, and hand the lock to the first waiter. */
export const forceRelease: Script<ForceReleaseKeys, ForceReleaseArgs, ForceReleaseResult> = {
  class: "dedupable",
  name: "lock.forceRelease",
  sha1: "f2947bfc4e0d0aa8c8bc02bafde91fc9f269d511",
  lua: `-- lock.forceRelease
${NOW}${WAIT_QUEUE}${HOLD}${ENDED}${BROKEN}local lock, fence, holds, ended, queue, alive, broken = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local id, repeated, lateCopies, wakeChannel = ARGV[1], ARGV[2] == '1', ARGV[3] == '1', ARGV[4]
local keys = { lock = lock, fence = fence, holds = holds, ended = ended, queue = queue, alive = alive, broken = broken }
if repeated then
  for _, member in ipairs(redis.call('ZRANGE', broken, 0, -1)) do
    local was, number, raised, owner = string.match(member, '^(%S+) (%d+) (%d+) (.*)$')
    if was == id and raised == '0' then return 'free' end
    if was == id then return {'ended', owner, tonumber(number), tonumber(raised)} end
  end
end
local holder, number, longestMs = readLock(lock)
local last, heldMs, released = readFence(fence)
local leftMs = holder and boundedTtl(lock, longestMs) or evictedMs(fence, heldMs)
local tokens = { holder }
if holder and string.sub(holder, 1, 1) == '=' then tokens = redis.call('HKEYS', holds) end
redis.call('DEL', lock, holds)
if leftMs <= 0 then
  noteBroken(keys, id .. ' 0 0 ', 0)
  handOver(keys, last, released, wakeChannel)
  return 'free'
end
local owner = string.gsub(holder or '', '^=', '')
number = number or string.format('%.0f', last)
local raised = string.format('%.0f', math.max(last + 1, tonumber(number) + 1, nowMicros()))
for _, token in ipairs(tokens) do breakHold(keys, token, number, leftMs, lateCopies, wakeChannel) end
noteBroken(keys, id .. ' ' .. number .. ' ' .. raised .. ' ' .. owner, leftMs)
if not handOver(keys, tonumber(raised), released, wakeChannel) then
  redis.call('SET', fence, raised .. ' 0 ' .. released, 'PX', FENCE_TTL_MS)
end
return {'ended', owner, tonumber(number), tonumber(raised)}
`,
  encodeKeys(keys, out) {
    out.push(keys.lock, keys.fence, keys.holds, keys.ended, keys.queue, keys.alive, keys.broken);
  },
  encodeArgs(args, out) {
    out.push(args.id, encodeBool(args.repeated), encodeBool(args.lateCopies), args.wakeChannel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ended":
        expectFields(fields, 3);
        return { status: "ended", owner: decodeText(fields[1]), fence: decodeInt(fields[2]), raised: decodeInt(fields[3]) };
      case "free":
        expectFields(fields, 0);
        return { status: "free" };
      default:
        throw new UnexpectedReplyError("one of ended, free", reply);
    }
  },
};

export interface IndexHoldKeys {
  readonly ids: Arg;
  readonly ends: Arg;
}

export interface IndexHoldArgs {
  readonly member: string;
  readonly keepMs: number;
}

export type IndexHoldResult =
  | { readonly status: "ok" };

/** Puts a hold on the list of those that are held, for `keepMs`, or takes it off (0). */
export const indexHold: Script<IndexHoldKeys, IndexHoldArgs, IndexHoldResult> = {
  class: "idempotent",
  name: "lock.indexHold",
  sha1: "e5466ee289bd9603a6546412c19902cb7fda3f74",
  lua: `-- lock.indexHold
${NOW}${ID_INDEX}local ids, ends = KEYS[1], KEYS[2]
local member, keepMs = ARGV[1], tonumber(ARGV[2])
if keepMs > 0 then index('', ids, ends, member, keepMs) else unindex('', ids, ends, member) end
return 'ok'
`,
  encodeKeys(keys, out) {
    out.push(keys.ids, keys.ends);
  },
  encodeArgs(args, out) {
    out.push(args.member, encodeInt("keepMs", args.keepMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
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
  | { readonly status: "held"; readonly owner: string; readonly fence: number; readonly ttlMs: number; readonly waiters: number; readonly ageMs: number };

/** Who holds the lock, and how many wait for it. */
export const inspect: Script<InspectKeys, InspectArgs, InspectResult> = {
  class: "read",
  name: "lock.inspect",
  sha1: "93321b09848c0e231ee2f9dfc73277ee029b7ada",
  lua: `-- lock.inspect
${NOW}${WAIT_QUEUE}${HOLD}local lock, alive = KEYS[1], KEYS[2]
local holder, number = readLock(lock)
if not holder then return {'free'} end
local owner = string.gsub(holder, '^=', '')
local ageMs = math.max(now() - math.floor(number / 1000), 0)
return {'held', owner, tonumber(number), redis.call('PTTL', lock), redis.call('ZCOUNT', alive, now(), '+inf'), ageMs}
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
        expectFields(fields, 5);
        return { status: "held", owner: decodeText(fields[1]), fence: decodeInt(fields[2]), ttlMs: decodeInt(fields[3]), waiters: decodeInt(fields[4]), ageMs: decodeInt(fields[5]) };
      default:
        throw new UnexpectedReplyError("one of free, held", reply);
    }
  },
};

export interface ReleaseKeys {
  readonly lock: Arg;
  readonly fence: Arg;
  readonly holds: Arg;
  readonly ended: Arg;
  readonly queue: Arg;
  readonly alive: Arg;
  readonly broken: Arg;
}

export interface ReleaseArgs {
  readonly owner: string;
  readonly token: string;
  /** the fence of the hold; 0 where it is not known */
  readonly number: number;
  readonly abandon: boolean;
  /** an earlier attempt may have been executed */
  readonly repeated: boolean;
  /** for how long a waiter of the same handle gets it; 0: it is told as any other */
  readonly handMs: number;
  readonly lateCopies: boolean;
  readonly wakeChannel: string;
}

export type ReleaseResult =
  | { readonly status: "released" }
  | { readonly status: "handed"; readonly taker: string; readonly fence: number; readonly contended: boolean }
  | { readonly status: "expired" }
  | { readonly status: "stolen" }
  | { readonly status: "unclear" };

/** Give back a hold; with `abandon` end a request whose fate is unknown or which waits no longer. Hands the lock to the first waiter. */
export const release: Script<ReleaseKeys, ReleaseArgs, ReleaseResult> = {
  class: "dedupable",
  name: "lock.release",
  sha1: "37319405c68eb781234bab20a4050edf544fa56b",
  lua: `-- lock.release
${NOW}${WAIT_QUEUE}${HOLD}${ENDED}local lock, fence, holds, ended, queue, alive, broken = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local owner, token, number, abandon, repeated, handMs, lateCopies, wakeChannel = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1', ARGV[5] == '1', tonumber(ARGV[6]), ARGV[7] == '1', ARGV[8]
local keys = { lock = lock, fence = fence, holds = holds, queue = queue, alive = alive }
local isShared = owner ~= ''
local me = isShared and '=' .. owner or token
local remembers = isShared or lateCopies
local function remember()
  if remembers then rememberEnded(ended, token) end
end
local function isKept(longestMs)
  redis.call('HDEL', holds, token)
  local live, latestMs = surveyHolds(holds, longestMs, false)
  if live == 0 then return false end
  redis.call('PEXPIRE', lock, latestMs, 'LT')
  redis.call('PEXPIRE', fence, FENCE_TTL_MS + latestMs, 'LT')
  local first = firstWaiters(queue, alive)[1]
  if first then redis.call('PUBLISH', wakeChannel, string.sub(first, 1, TOKEN_LENGTH)) end
  return true
end
local holder, held, longestMs = readLock(lock)
local last, heldMs, released = readFence(fence)
if holder == me and (not isShared or redis.call('HEXISTS', holds, token) == 1) then
  if not isShared or not isKept(longestMs) then
    redis.call('DEL', lock, holds)
    last = math.max(last, tonumber(held))
    local giver = handMs > 0 and not repeated and token
    local taker, number, isContended = handOver(keys, last, held, wakeChannel, giver, handMs)
    if number then
      remember()
      return {'handed', taker, tonumber(number), isContended}
    end
    if not taker then redis.call('SET', fence, string.format('%.0f 0 %s', last, held), 'PX', FENCE_TTL_MS) end
  end
  remember()
  return 'released'
end
local isBroken = number > 0 and redis.call('ZSCORE', broken, string.format('%s %.0f', token, number))
if not isBroken then
  if number > 0 and not isShared and tonumber(released) == number then return 'released' end
  if remembers and redis.call('LPOS', ended, token) then return 'released' end
end
if abandon then
  leaveQueue(queue, alive, token .. owner)
  remember()
end
if not holder and evictedMs(fence, heldMs) <= 0 then handOver(keys, last, released, wakeChannel) end
if repeated and number > 0 and last > number and not isBroken then return 'unclear' end
return holder and holder ~= me and 'stolen' or 'expired'
`,
  encodeKeys(keys, out) {
    out.push(keys.lock, keys.fence, keys.holds, keys.ended, keys.queue, keys.alive, keys.broken);
  },
  encodeArgs(args, out) {
    out.push(args.owner, args.token, encodeInt("number", args.number), encodeBool(args.abandon), encodeBool(args.repeated), encodeInt("handMs", args.handMs), encodeBool(args.lateCopies), args.wakeChannel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "released":
        expectFields(fields, 0);
        return { status: "released" };
      case "handed":
        expectFields(fields, 3);
        return { status: "handed", taker: decodeText(fields[1]), fence: decodeInt(fields[2]), contended: decodeBool(fields[3]) };
      case "expired":
        expectFields(fields, 0);
        return { status: "expired" };
      case "stolen":
        expectFields(fields, 0);
        return { status: "stolen" };
      case "unclear":
        expectFields(fields, 0);
        return { status: "unclear" };
      default:
        throw new UnexpectedReplyError("one of released, handed, expired, stolen, unclear", reply);
    }
  },
};

export interface ResumeKeys {
  readonly lock: Arg;
  readonly fence: Arg;
  readonly holds: Arg;
  readonly ended: Arg;
  readonly queue: Arg;
  readonly alive: Arg;
  readonly broken: Arg;
}

export interface ResumeArgs {
  /** the token of the hold */
  readonly from: string;
  /** its fence */
  readonly number: number;
  /** of the request that takes it over */
  readonly token: string;
  readonly ttlMs: number;
  readonly lateCopies: boolean;
  readonly wakeChannel: string;
}

export type ResumeResult =
  | { readonly status: "resumed"; readonly fence: number; readonly contended: boolean }
  | { readonly status: "expired" }
  | { readonly status: "stolen" };

/** Takes a hold over from its holder, for another request and with a new fence. */
export const resume: Script<ResumeKeys, ResumeArgs, ResumeResult> = {
  class: "dedupable",
  name: "lock.resume",
  sha1: "05da3947f9d0a934cafb732e66cfb93e0236aaff",
  lua: `-- lock.resume
${NOW}${WAIT_QUEUE}${HOLD}${ENDED}${BROKEN}local lock, fence, holds, ended, queue, alive, broken = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local from, number, token, ttlMs, lateCopies, wakeChannel = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5] == '1', ARGV[6]
local keys = { lock = lock, fence = fence, holds = holds, ended = ended, broken = broken }
if lateCopies and redis.call('LPOS', ended, token) then return 'stolen' end
local holder, held, longestMs, marked = readLock(lock)
if holder == token then
  keepFor(keys, token, ttlMs)
  return {'resumed', tonumber(held), marked}
end
if not holder then return 'expired' end
if holder ~= from or tonumber(held) ~= number then return 'stolen' end
local leftMs = boundedTtl(lock, longestMs)
redis.call('PEXPIRE', lock, ttlMs)
local last, _, released = readFence(fence)
local raised = string.format('%.0f', math.max(last + 1, number + 1, nowMicros()))
writeLock(lock, token, raised, ttlMs, marked, 'PX', ttlMs)
markHeld(fence, raised, ttlMs, released)
breakHold(keys, from, held, leftMs, lateCopies, wakeChannel)
local first = marked and firstWaiters(queue, alive)[1]
if first then redis.call('PUBLISH', wakeChannel, string.sub(first, 1, TOKEN_LENGTH)) end
return {'resumed', tonumber(raised), marked}
`,
  encodeKeys(keys, out) {
    out.push(keys.lock, keys.fence, keys.holds, keys.ended, keys.queue, keys.alive, keys.broken);
  },
  encodeArgs(args, out) {
    out.push(args.from, encodeInt("number", args.number), args.token, encodeInt("ttlMs", args.ttlMs), encodeBool(args.lateCopies), args.wakeChannel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "resumed":
        expectFields(fields, 2);
        return { status: "resumed", fence: decodeInt(fields[1]), contended: decodeBool(fields[2]) };
      case "expired":
        expectFields(fields, 0);
        return { status: "expired" };
      case "stolen":
        expectFields(fields, 0);
        return { status: "stolen" };
      default:
        throw new UnexpectedReplyError("one of resumed, expired, stolen", reply);
    }
  },
};

export interface UncontendedKeys {
  readonly lock: Arg;
  readonly fence: Arg;
}

export interface UncontendedArgs {
  readonly text: string;
  readonly ttlMs: number;
}

export type UncontendedResult =
  | { readonly status: "acquired"; readonly fence: number }
  | { readonly status: "busy"; readonly ttlMs: number }
  | { readonly status: "released" }
  | { readonly status: "unclear" };

/** All that a lock needs while nobody waits for it: take it where it is free (`ttlMs` > 0, `text` is the token), or give it back (0, `text` is what `lock` has). */
export const uncontended: BatchScript<UncontendedKeys, UncontendedArgs, UncontendedResult> = {
  class: "dedupable",
  name: "lock.uncontended",
  sha1: "8fa6fbeb36d30b54de07546bdc05f25fab8d64f1",
  lua: `-- lock.uncontended
local lock, fence = KEYS[1], KEYS[2]
local text, ttlMs = ARGV[1], tonumber(ARGV[2])
local FENCE_TTL_MS = 86400000
if ttlMs == 0 then
  if redis.call('GET', lock) ~= text then return 'unclear' end
  local number = string.match(text, '^%S+ (%d+)')
  redis.call('DEL', lock)
  redis.call('SET', fence, number .. ' 0 ' .. number, 'PX', FENCE_TTL_MS)
  return 'released'
end
local last, heldMs, ended = string.match(redis.call('GET', fence) or '0 0 0', '^(%d+) (%d+) (%d+)$')
if heldMs == '0' then
  local clock = redis.call('TIME')
  local number = string.format('%.0f', math.max(last + 1, clock[1] * 1000000 + clock[2]))
  local held = number .. ' ' .. ttlMs
  if redis.call('SET', lock, text .. ' ' .. held, 'NX', 'PX', ttlMs) then
    redis.call('SET', fence, held .. ' ' .. ended, 'PX', FENCE_TTL_MS + ttlMs)
    return {'acquired', tonumber(number)}
  end
end
local holder, longestMs = string.match(redis.call('GET', lock) or '', '^(.*) %d+ (%d+)')
local leftMs = redis.call('PTTL', lock)
if not holder or holder == text or leftMs < 0 or leftMs > tonumber(longestMs) then return 'unclear' end
return {'busy', leftMs}
`,
  encodeKeys(keys, out) {
    out.push(keys.lock, keys.fence);
  },
  encodeArgs(args, out) {
    out.push(args.text, encodeInt("ttlMs", args.ttlMs));
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
      case "released":
        expectFields(fields, 0);
        return { status: "released" };
      case "unclear":
        expectFields(fields, 0);
        return { status: "unclear" };
      default:
        throw new UnexpectedReplyError("one of acquired, busy, released, unclear", reply);
    }
  },
  merged: {
    name: "lock.uncontended (merged)",
    sha1: "4ba3460c98c060fceda0b3af9f671ee4bb7b0e0d",
    lua: `-- lock.uncontended
local function run(keyAt, argAt)
  local lock, fence = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local text, ttlMs = ARGV[argAt + 1], tonumber(ARGV[argAt + 2])
  local FENCE_TTL_MS = 86400000
  if ttlMs == 0 then
    if redis.call('GET', lock) ~= text then return 'unclear' end
    local number = string.match(text, '^%S+ (%d+)')
    redis.call('DEL', lock)
    redis.call('SET', fence, number .. ' 0 ' .. number, 'PX', FENCE_TTL_MS)
    return 'released'
  end
  local last, heldMs, ended = string.match(redis.call('GET', fence) or '0 0 0', '^(%d+) (%d+) (%d+)$')
  if heldMs == '0' then
    local clock = redis.call('TIME')
    local number = string.format('%.0f', math.max(last + 1, clock[1] * 1000000 + clock[2]))
    local held = number .. ' ' .. ttlMs
    if redis.call('SET', lock, text .. ' ' .. held, 'NX', 'PX', ttlMs) then
      redis.call('SET', fence, held .. ' ' .. ended, 'PX', FENCE_TTL_MS + ttlMs)
      return {'acquired', tonumber(number)}
    end
  end
  local holder, longestMs = string.match(redis.call('GET', lock) or '', '^(.*) %d+ (%d+)')
  local leftMs = redis.call('PTTL', lock)
  if not holder or holder == text or leftMs < 0 or leftMs > tonumber(longestMs) then return 'unclear' end
  return {'busy', leftMs}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 2 and 2 or 0
for keyAt = 0, #KEYS - 1, 2 do
  local ok, reply = pcall(run, keyAt, argAt)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  if reply == nil then reply = false end
  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply
  size, argAt = size + 2, argAt + step
end
return outcomes
`,
  },
};
