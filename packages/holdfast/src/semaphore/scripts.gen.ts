// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeFloat, decodeInt, decodeOptional, decodeRows, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeInt } from "../core/script/encode.ts";
import type { BatchScript, Script } from "../core/script/script.ts";

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

const PERMITS = `local KEEP_MS = 604800000
local DAY_MS = 86400000
local PAUSE_MS = 30000
local BELIEVED_MS = 35000
local LEAST_TTL_MS = 1000
local PER_CALL = 100
local held, lastFence, stored, longestMs, keptUntil, waitedUntil
local function countOf(hold)
  return tonumber(string.sub(hold, 38))
end
local function countOfAll(holds)
  local count = 0
  for _, hold in ipairs(holds) do count = count + countOf(hold) end
  return count
end
local function readState(permits, state)
  local packed = redis.call('GET', state)
  if packed then
    held, lastFence, stored, longestMs, keptUntil, waitedUntil = struct.unpack('<dddddd', packed)
  else
    held = countOfAll(redis.call('ZRANGE', permits, '(0', '+inf', 'BYSCORE'))
    lastFence, stored, longestMs, keptUntil, waitedUntil = 0, -1, 0, 0, 0
  end
end
local function writeState(state)
  redis.call('SET', state, struct.pack('<dddddd', held, lastFence, stored, longestMs, keptUntil, waitedUntil), 'KEEPTTL')
end
local function keep(permits, state, at, ttlMs)
  keptUntil = at + ttlMs + KEEP_MS
  redis.call('ZADD', permits, 0, '#')
  redis.call('PEXPIRE', permits, ttlMs + KEEP_MS)
  writeState(state)
  redis.call('PEXPIRE', state, ttlMs + KEEP_MS)
end
local function purge(permits, at)
  local latest = at + math.max(longestMs, LEAST_TTL_MS)
  for _, hold in ipairs(redis.call('ZRANGE', permits, '(' .. latest, '+inf', 'BYSCORE', 'LIMIT', 0, PER_CALL)) do
    redis.call('ZADD', permits, latest, hold)
  end
  local ended = redis.call('ZRANGE', permits, '(0', at, 'BYSCORE', 'LIMIT', 0, PER_CALL)
  if #ended > 0 then
    redis.call('ZREM', permits, unpack(ended))
    held = held - countOfAll(ended)
  end
  if held > 0 and redis.call('EXISTS', permits) == 0 then held, keptUntil = 0, 0 end
end
local function nextEnd(permits, at)
  local first = redis.call('ZRANGE', permits, '(' .. at, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
  return first[2] and first[2] - at or PAUSE_MS
end
local function grant(permits, state, hold, count, ttlMs, at)
  if redis.call('ZADD', permits, at + ttlMs, hold) == 1 then held = held + count end
  lastFence = math.max(lastFence + 1, nowMicros())
  if ttlMs > longestMs then longestMs = ttlMs end
  if at + ttlMs > keptUntil - DAY_MS then keep(permits, state, at, ttlMs) else writeState(state) end
  return lastFence
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

const HAND_OVER = `local function handOver(permits, state, queue, alive, channel, limit, strict, own)
  local at = now()
  purge(permits, at)
  buryDead(queue, alive)
  if stored >= 0 then limit = stored end
  local woken, behind = {}, {}
  for _, hold in ipairs(redis.call('ZRANGE', queue, 0, PER_CALL - 1)) do
    local count = countOf(hold)
    local fits = held + count <= limit and (not strict or #behind == 0)
    if fits or count > limit and limit > 0 then
      leaveQueue(queue, alive, hold)
      woken[#woken + 1] = hold
      if fits and redis.call('ZADD', permits, at + ACCEPT_MS, hold) == 1 then held = held + count end
    elseif #behind < MAX_WATCHING then
      behind[#behind + 1] = hold
    end
  end
  for _, hold in ipairs(woken) do
    if hold ~= own then publishHanded(channel, hold, behind) end
  end
  waitedUntil = tonumber(redis.call('ZRANGE', alive, -1, -1, 'WITHSCORES')[2] or 0)
  if keptUntil == 0 then keep(permits, state, at, ACCEPT_MS) else writeState(state) end
end
`;

export interface AbandonKeys {
  readonly permits: Arg;
  readonly state: Arg;
  readonly queue: Arg;
  readonly alive: Arg;
}

export interface AbandonArgs {
  readonly hold: string;
  readonly count: number;
  readonly limit: number;
  readonly strict: boolean;
  readonly wakeChannel: string;
}

export type AbandonResult =
  | { readonly status: "done" };

/** End a request that waits no longer or whose fate is unknown. */
export const abandon: Script<AbandonKeys, AbandonArgs, AbandonResult> = {
  class: "idempotent",
  name: "semaphore.abandon",
  sha1: "7a80ce9cac4a14a181ef637ce3e5325cefe860f3",
  lua: `-- semaphore.abandon
${NOW}${PERMITS}${WAIT_QUEUE}${HAND_OVER}local permits, state, queue, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local hold, count, limit, strict, wakeChannel = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1', ARGV[5]
readState(permits, state)
if redis.call('ZREM', permits, hold) == 1 then held = held - count end
leaveQueue(queue, alive, hold)
if redis.call('EXISTS', permits) == 1 then handOver(permits, state, queue, alive, wakeChannel, limit, strict) end
return {'done'}
`,
  encodeKeys(keys, out) {
    out.push(keys.permits, keys.state, keys.queue, keys.alive);
  },
  encodeArgs(args, out) {
    out.push(args.hold, encodeInt("count", args.count), encodeInt("limit", args.limit), encodeBool(args.strict), args.wakeChannel);
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
  readonly permits: Arg;
  readonly state: Arg;
}

export interface AcquireArgs {
  readonly hold: string;
  readonly count: number;
  readonly limit: number;
  readonly ttlMs: number;
  readonly strict: boolean;
}

export type AcquireResult =
  | { readonly status: "acquired"; readonly fence: number }
  | { readonly status: "busy"; readonly ttlMs: number }
  | { readonly status: "oversized"; readonly limit: number };

/** Take permits if that many are free and nobody waits for them. */
export const acquire: BatchScript<AcquireKeys, AcquireArgs, AcquireResult> = {
  class: "dedupable",
  name: "semaphore.acquire",
  sha1: "9c6fac3c78d72d967430d71960301107edfa3632",
  lua: `-- semaphore.acquire
${NOW}${PERMITS}local permits, state = KEYS[1], KEYS[2]
local hold, count, limit, ttlMs, strict = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1'
readState(permits, state)
local at = now()
local most = stored >= 0 and stored or limit
local waited = waitedUntil > at and waitedUntil <= at + BELIEVED_MS
local fits = held + count <= most
if not fits and not waited then
  local before = held
  purge(permits, at)
  fits = held + count <= most
  if held ~= before then writeState(state) end
end
if waited and strict then fits = false end
if not fits and not redis.call('ZSCORE', permits, hold) then
  if count > most and most > 0 then return {'oversized', most} end
  return {'busy', nextEnd(permits, at)}
end
return {'acquired', grant(permits, state, hold, count, ttlMs, at)}
`,
  encodeKeys(keys, out) {
    out.push(keys.permits, keys.state);
  },
  encodeArgs(args, out) {
    out.push(args.hold, encodeInt("count", args.count), encodeInt("limit", args.limit), encodeInt("ttlMs", args.ttlMs), encodeBool(args.strict));
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
      case "oversized":
        expectFields(fields, 1);
        return { status: "oversized", limit: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of acquired, busy, oversized", reply);
    }
  },
  most: 80,
  merged: {
    name: "semaphore.acquire (merged)",
    sha1: "560fde2d93b425b3663903765ef65f9e427edc95",
    lua: `-- semaphore.acquire
${NOW}${PERMITS}local function run(keyAt, argAt)
  local permits, state = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local hold, count, limit, ttlMs, strict = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), ARGV[argAt + 5] == '1'
  readState(permits, state)
  local at = now()
  local most = stored >= 0 and stored or limit
  local waited = waitedUntil > at and waitedUntil <= at + BELIEVED_MS
  local fits = held + count <= most
  if not fits and not waited then
    local before = held
    purge(permits, at)
    fits = held + count <= most
    if held ~= before then writeState(state) end
  end
  if waited and strict then fits = false end
  if not fits and not redis.call('ZSCORE', permits, hold) then
    if count > most and most > 0 then return {'oversized', most} end
    return {'busy', nextEnd(permits, at)}
  end
  return {'acquired', grant(permits, state, hold, count, ttlMs, at)}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 5 and 5 or 0
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

export interface ExtendKeys {
  readonly permits: Arg;
  readonly state: Arg;
}

export interface ExtendArgs {
  readonly hold: string;
  readonly ttlMs: number;
}

export type ExtendResult =
  | { readonly status: "extended" }
  | { readonly status: "expired" };

/** Keep permits for `ttlMs` from now, or as long as they are held already. Never takes any. */
export const extend: Script<ExtendKeys, ExtendArgs, ExtendResult> = {
  class: "idempotent",
  name: "semaphore.extend",
  sha1: "6f61ead1e7798c31be9b8fb99e6dc7c58f04cbc6",
  lua: `-- semaphore.extend
${NOW}${PERMITS}local permits, state = KEYS[1], KEYS[2]
local hold, ttlMs = ARGV[1], tonumber(ARGV[2])
if not redis.call('ZSCORE', permits, hold) then return {'expired'} end
redis.call('PEXPIRE', permits, ttlMs + KEEP_MS, 'GT')
redis.call('PEXPIRE', state, ttlMs + KEEP_MS, 'GT')
redis.call('ZADD', permits, 'XX', 'GT', now() + ttlMs, hold)
readState(permits, state)
if ttlMs > longestMs then
  longestMs = ttlMs
  if keptUntil == 0 then keep(permits, state, now(), ttlMs) else writeState(state) end
end
return {'extended'}
`,
  encodeKeys(keys, out) {
    out.push(keys.permits, keys.state);
  },
  encodeArgs(args, out) {
    out.push(args.hold, encodeInt("ttlMs", args.ttlMs));
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
  readonly permits: Arg;
  readonly state: Arg;
  readonly alive: Arg;
}

export interface InspectArgs {
  readonly most: number;
}

export type InspectResult =
  | { readonly status: "semaphore"; readonly limit: number | null; readonly held: number; readonly waiters: number; readonly at: number; readonly holders: { readonly hold: string; readonly endsAt: number }[] };

/** The limit, what is held and by whom, those first whose holds end first, and how many wait. */
export const inspect: Script<InspectKeys, InspectArgs, InspectResult> = {
  class: "read",
  name: "semaphore.inspect",
  sha1: "4378c9cb50943a763637dfcbe6bb62d97ffeb5d3",
  lua: `-- semaphore.inspect
${NOW}${PERMITS}local permits, state, alive = KEYS[1], KEYS[2], KEYS[3]
local most = tonumber(ARGV[1])
readState(permits, state)
local at = now()
local ended = countOfAll(redis.call('ZRANGE', permits, '(0', at, 'BYSCORE', 'LIMIT', 0, 1000))
local holders = redis.call('ZRANGE', permits, '(' .. at, '+inf', 'BYSCORE', 'LIMIT', 0, most, 'WITHSCORES')
local waiters = redis.call('ZCOUNT', alive, '(' .. at, '+inf')
return {'semaphore', stored >= 0 and stored, math.max(held - ended, 0), waiters, at, holders}
`,
  encodeKeys(keys, out) {
    out.push(keys.permits, keys.state, keys.alive);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("most", args.most));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "semaphore":
        expectFields(fields, 5);
        return { status: "semaphore", limit: decodeOptional(fields[1], decodeInt), held: decodeInt(fields[2]), waiters: decodeInt(fields[3]), at: decodeInt(fields[4]), holders: decodeRows(fields[5], 2, (flat, at) => ({ hold: decodeText(flat[at]), endsAt: decodeFloat(flat[at + 1]) })) };
      default:
        throw new UnexpectedReplyError("one of semaphore", reply);
    }
  },
};

export interface ReleaseKeys {
  readonly permits: Arg;
  readonly state: Arg;
  readonly queue: Arg;
  readonly alive: Arg;
}

export interface ReleaseArgs {
  readonly hold: string;
  readonly count: number;
  readonly limit: number;
  readonly strict: boolean;
  readonly wakeChannel: string;
}

export type ReleaseResult =
  | { readonly status: "released" }
  | { readonly status: "gone" };

/** Give permits back, and hand them over to those who wait. */
export const release: BatchScript<ReleaseKeys, ReleaseArgs, ReleaseResult> = {
  class: "dedupable",
  name: "semaphore.release",
  sha1: "a773e8312c30a3f54319813ad0cad9eefbcf2cc1",
  lua: `-- semaphore.release
${NOW}${PERMITS}${WAIT_QUEUE}${HAND_OVER}local permits, state, queue, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local hold, count, limit, strict, wakeChannel = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1', ARGV[5]
readState(permits, state)
if redis.call('ZREM', permits, hold) == 0 then return {'gone'} end
held = held - count
if waitedUntil == 0 then
  writeState(state)
else
  handOver(permits, state, queue, alive, wakeChannel, limit, strict)
end
return {'released'}
`,
  encodeKeys(keys, out) {
    out.push(keys.permits, keys.state, keys.queue, keys.alive);
  },
  encodeArgs(args, out) {
    out.push(args.hold, encodeInt("count", args.count), encodeInt("limit", args.limit), encodeBool(args.strict), args.wakeChannel);
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
  most: 80,
  merged: {
    name: "semaphore.release (merged)",
    sha1: "cc002f8305f1f79cf9a572c5da94328ca74addb2",
    lua: `-- semaphore.release
${NOW}${PERMITS}${WAIT_QUEUE}${HAND_OVER}local function run(keyAt, argAt)
  local permits, state, queue, alive = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3], KEYS[keyAt + 4]
  local hold, count, limit, strict, wakeChannel = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), ARGV[argAt + 4] == '1', ARGV[argAt + 5]
  readState(permits, state)
  if redis.call('ZREM', permits, hold) == 0 then return {'gone'} end
  held = held - count
  if waitedUntil == 0 then
    writeState(state)
  else
    handOver(permits, state, queue, alive, wakeChannel, limit, strict)
  end
  return {'released'}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 5 and 5 or 0
for keyAt = 0, #KEYS - 1, 4 do
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

export interface ResizeKeys {
  readonly permits: Arg;
  readonly state: Arg;
  readonly queue: Arg;
  readonly alive: Arg;
}

export interface ResizeArgs {
  readonly limit: number;
  readonly set: boolean;
  readonly strict: boolean;
  readonly wakeChannel: string;
}

export type ResizeResult =
  | { readonly status: "ok"; readonly held: number };

/** Store a limit, which counts from now on instead of those that the requests bring, or forget it. */
export const resize: Script<ResizeKeys, ResizeArgs, ResizeResult> = {
  class: "idempotent",
  name: "semaphore.resize",
  sha1: "a2adcc898d2897c74b302749ae26d22df903cdce",
  lua: `-- semaphore.resize
${NOW}${PERMITS}${WAIT_QUEUE}${HAND_OVER}local permits, state, queue, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local limit, set, strict, wakeChannel = tonumber(ARGV[1]), ARGV[2] == '1', ARGV[3] == '1', ARGV[4]
readState(permits, state)
stored = set and limit or -1
keep(permits, state, now(), math.max(longestMs, LEAST_TTL_MS))
handOver(permits, state, queue, alive, wakeChannel, limit, strict)
return {'ok', held}
`,
  encodeKeys(keys, out) {
    out.push(keys.permits, keys.state, keys.queue, keys.alive);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("limit", args.limit), encodeBool(args.set), encodeBool(args.strict), args.wakeChannel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", held: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface WaitKeys {
  readonly permits: Arg;
  readonly state: Arg;
  readonly queue: Arg;
  readonly alive: Arg;
}

export interface WaitArgs {
  readonly hold: string;
  readonly count: number;
  readonly limit: number;
  readonly ttlMs: number;
  readonly strict: boolean;
  readonly since: number;
  readonly wakeChannel: string;
}

export type WaitResult =
  | { readonly status: "acquired"; readonly fence: number }
  | { readonly status: "busy"; readonly ttlMs: number; readonly since: number }
  | { readonly status: "oversized"; readonly limit: number };

/** Take permits that were handed over to this hold or are free for it, else stay in the queue. */
export const wait: Script<WaitKeys, WaitArgs, WaitResult> = {
  class: "dedupable",
  name: "semaphore.wait",
  sha1: "6f17cf1c4b651b8e60c1e3a72d67efe0455f532a",
  lua: `-- semaphore.wait
${NOW}${PERMITS}${WAIT_QUEUE}${HAND_OVER}local permits, state, queue, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local hold, count, limit, ttlMs, strict, since, wakeChannel = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1', tonumber(ARGV[6]), ARGV[7]
local at = now()
readState(permits, state)
if not redis.call('ZSCORE', permits, hold) then
  local most = stored >= 0 and stored or limit
  if count > most and most > 0 then
    leaveQueue(queue, alive, hold)
    return {'oversized', most}
  end
  since = joinQueue(queue, alive, hold, since, MAX_PAUSE_MS)
  handOver(permits, state, queue, alive, wakeChannel, limit, strict, hold)
  if not redis.call('ZSCORE', permits, hold) then
    local againMs = math.min(nextEnd(permits, at), MAX_PAUSE_MS)
    redis.call('ZADD', alive, at + againMs + WAITER_GRACE_MS, hold)
    return {'busy', againMs, since}
  end
end
local fence = grant(permits, state, hold, count, ttlMs, at)
leaveQueue(queue, alive, hold)
return {'acquired', fence}
`,
  encodeKeys(keys, out) {
    out.push(keys.permits, keys.state, keys.queue, keys.alive);
  },
  encodeArgs(args, out) {
    out.push(args.hold, encodeInt("count", args.count), encodeInt("limit", args.limit), encodeInt("ttlMs", args.ttlMs), encodeBool(args.strict), encodeInt("since", args.since), args.wakeChannel);
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
      case "oversized":
        expectFields(fields, 1);
        return { status: "oversized", limit: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of acquired, busy, oversized", reply);
    }
  },
};
