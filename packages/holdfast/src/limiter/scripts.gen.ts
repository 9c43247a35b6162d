// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeBytes, decodeInt, decodeList } from "../core/script/decode.ts";
import { encodeInt } from "../core/script/encode.ts";
import type { BatchScript, None } from "../core/script/script.ts";

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

const LOG = `local function totalOf(entry)
  return tonumber(string.sub(entry, 1, 16))
end
local function logNow(state, windowMicros)
  local at = nowMicros()
  local last = redis.call('ZRANGE', state, -1, -1, 'WITHSCORES')
  if not last[1] then return at, 0, 0, 0, at - windowMicros end
  local lastAt = tonumber(last[2])
  if lastAt > at then at = lastAt end
  local over = redis.call('ZCOUNT', state, '-inf', at - windowMicros)
  local first = redis.call('ZRANGE', state, over, over)[1]
  local all = totalOf(last[1])
  if not first then return at, over, all, all, at - windowMicros end
  return at, over, totalOf(first) - tonumber(string.sub(first, 18)), all, lastAt
end
local function waitFor(state, at, windowMicros, over, base, units)
  local low, high = over, math.min(over + units, redis.call('ZCARD', state)) - 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if totalOf(redis.call('ZRANGE', state, middle, middle)[1]) - base >= units then high = middle else low = middle + 1 end
  end
  return redis.call('ZRANGE', state, low, low, 'WITHSCORES')[2] + windowMicros - at
end
`;

const WINDOWS = `local WINDOWS = 'ddd'
local function countsNow(state, windowMs)
  local at = now()
  local window, elapsed = math.floor(at / windowMs), at % windowMs
  local stored = redis.call('GET', state)
  if not stored then return window, elapsed, 0, 0 end
  local of, current, previous = struct.unpack(WINDOWS, stored)
  if of == window then return window, elapsed, current, previous end
  if of == window - 1 then return window, elapsed, 0, current end
  if of > window then return of, 0, current, previous end
  return window, elapsed, 0, 0
end
`;

export interface ExactPeekKeys {
  readonly state: Arg;
}

export interface ExactPeekArgs {
  readonly cost: number;
  readonly limit: number;
  readonly windowMicros: number;
}

export type ExactPeekResult = number[];

/** What `exact` would reply now. */
export const exactPeek: BatchScript<ExactPeekKeys, ExactPeekArgs, ExactPeekResult> = {
  class: "read",
  name: "limiter.exactPeek",
  sha1: "41d4ce9abf0cd4f70425d1e9f173b5b3a30407cc",
  lua: `-- limiter.exactPeek
${NOW}${LOG}local state = KEYS[1]
local cost, limit, windowMicros = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local at, over, base, all, lastAt = logNow(state, windowMicros)
local excess = all - base + cost - limit
if excess <= 0 then return {1, all - base, 0, lastAt + windowMicros - at} end
return {0, all - base, waitFor(state, at, windowMicros, over, base, excess), lastAt + windowMicros - at}
`,
  encodeKeys(keys, out) {
    out.push(keys.state);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("cost", args.cost), encodeInt("limit", args.limit), encodeInt("windowMicros", args.windowMicros));
  },
  decode(reply) {
    return decodeList(reply, decodeInt);
  },
  most: 128,
  merged: {
    name: "limiter.exactPeek (merged)",
    sha1: "8f002790742d6a3191f1dcca71f1dc9072341ff6",
    lua: `-- limiter.exactPeek
${NOW}${LOG}local function run(keyAt, argAt)
  local state = KEYS[keyAt + 1]
  local cost, limit, windowMicros = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3])
  local at, over, base, all, lastAt = logNow(state, windowMicros)
  local excess = all - base + cost - limit
  if excess <= 0 then return {1, all - base, 0, lastAt + windowMicros - at} end
  return {0, all - base, waitFor(state, at, windowMicros, over, base, excess), lastAt + windowMicros - at}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 3 and 3 or 0
for keyAt = 0, #KEYS - 1, 1 do
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

export interface ExactKeys {
  readonly state: Arg;
}

export interface ExactArgs {
  readonly cost: number;
  readonly limit: number;
  readonly windowMicros: number;
}

export type ExactResult = number[];

/**
 * Takes `cost` if not more than `limit` were taken within the last `windowMicros`, with this call: a sliding log.
 * The reply is 1 if it was allowed, else 0 and nothing changed; what counts now; microseconds until the same call can be
 * allowed; and microseconds until nothing counts any more.
 */
export const exact: BatchScript<ExactKeys, ExactArgs, ExactResult> = {
  class: "unsafe",
  name: "limiter.exact",
  sha1: "1a83ba44f915d805b7234597e349b9e6bbf7c5db",
  lua: `-- limiter.exact
${NOW}${LOG}local state = KEYS[1]
local cost, limit, windowMicros = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local at, over, base, all, lastAt = logNow(state, windowMicros)
local excess = all - base + cost - limit
if excess > 0 then
  return {0, all - base, waitFor(state, at, windowMicros, over, base, excess), lastAt + windowMicros - at}
end
if over > 0 then redis.call('ZREMRANGEBYRANK', state, 0, over - 1) end
redis.call('ZADD', state, at, string.format('%016.0f:%.0f', all + cost, cost))
redis.call('PEXPIREAT', state, math.ceil((at + windowMicros) / 1000))
return {1, all - base + cost, 0, windowMicros}
`,
  encodeKeys(keys, out) {
    out.push(keys.state);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("cost", args.cost), encodeInt("limit", args.limit), encodeInt("windowMicros", args.windowMicros));
  },
  decode(reply) {
    return decodeList(reply, decodeInt);
  },
  most: 128,
  merged: {
    name: "limiter.exact (merged)",
    sha1: "5f5730da427947a3f6f6b20991d461514f707d4a",
    lua: `-- limiter.exact
${NOW}${LOG}local function run(keyAt, argAt)
  local state = KEYS[keyAt + 1]
  local cost, limit, windowMicros = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3])
  local at, over, base, all, lastAt = logNow(state, windowMicros)
  local excess = all - base + cost - limit
  if excess > 0 then
    return {0, all - base, waitFor(state, at, windowMicros, over, base, excess), lastAt + windowMicros - at}
  end
  if over > 0 then redis.call('ZREMRANGEBYRANK', state, 0, over - 1) end
  redis.call('ZADD', state, at, string.format('%016.0f:%.0f', all + cost, cost))
  redis.call('PEXPIREAT', state, math.ceil((at + windowMicros) / 1000))
  return {1, all - base + cost, 0, windowMicros}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 3 and 3 or 0
for keyAt = 0, #KEYS - 1, 1 do
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

export interface GcraPeekKeys {
  readonly state: Arg;
}

export type GcraPeekArgs = None;

export type GcraPeekResult = number;

/** The backlog of a GCRA bucket in microseconds; 0 when it is full. */
export const gcraPeek: BatchScript<GcraPeekKeys, GcraPeekArgs, GcraPeekResult> = {
  class: "read",
  name: "limiter.gcraPeek",
  sha1: "45eb6a282ee621c9a4320b5a02d7f66c33939976",
  lua: `-- limiter.gcraPeek
${NOW}local state = KEYS[1]
local at = nowMicros()
local stored = redis.call('GET', state)
return math.max((stored and struct.unpack('d', stored) or at) - at, 0)
`,
  encodeKeys(keys, out) {
    out.push(keys.state);
  },
  encodeArgs() {},
  decode(reply) {
    return decodeInt(reply);
  },
  most: 128,
  merged: {
    name: "limiter.gcraPeek (merged)",
    sha1: "99354872d0336d29b67bc9bfa4a9804ec10f57a2",
    lua: `-- limiter.gcraPeek
${NOW}local function run(keyAt, argAt)
  local state = KEYS[keyAt + 1]
  local at = nowMicros()
  local stored = redis.call('GET', state)
  return math.max((stored and struct.unpack('d', stored) or at) - at, 0)
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 0 and 0 or 0
for keyAt = 0, #KEYS - 1, 1 do
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

export interface GcraKeys {
  readonly state: Arg;
}

export interface GcraArgs {
  readonly costMicros: number;
  readonly depthMicros: number;
}

export type GcraResult = number;

/**
 * Takes `costMicros` out of a bucket that holds `depthMicros` and refills by one microsecond per microsecond.
 * GCRA as virtual scheduling (ITU-T I.371, annex A). `state` is the theoretical arrival time (TAT): the microsecond at
 * which the bucket is full again, as a packed double: text would cost a fifth of the call. The key expires with the whole second after its TAT: a call whose TAT lies in the same
 * second as the one before then keeps the time to live, and setting it is a third of the call.
 * The reply is the backlog (TAT minus now): after the cost was taken, or negated where it was denied and nothing changed.
 */
export const gcra: BatchScript<GcraKeys, GcraArgs, GcraResult> = {
  class: "unsafe",
  name: "limiter.gcra",
  sha1: "9f7e95aaa824af78e862126502d659d4ef7647bf",
  lua: `-- limiter.gcra
${NOW}local state = KEYS[1]
local costMicros, depthMicros = tonumber(ARGV[1]), tonumber(ARGV[2])
local at = nowMicros()
local stored = redis.call('GET', state)
local tat = stored and struct.unpack('d', stored) or at
local backlog = tat > at and tat - at or 0
local taken = backlog + costMicros
if taken > depthMicros then return -backlog end
local full = at + taken
local second = full - full % 1000000
if stored and tat >= second and tat < second + 1000000 then
  redis.call('SET', state, struct.pack('d', full), 'KEEPTTL')
else
  redis.call('SET', state, struct.pack('d', full), 'EXAT', second / 1000000 + 1)
end
return taken
`,
  encodeKeys(keys, out) {
    out.push(keys.state);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("costMicros", args.costMicros), encodeInt("depthMicros", args.depthMicros));
  },
  decode(reply) {
    return decodeInt(reply);
  },
  most: 128,
  merged: {
    name: "limiter.gcra (merged)",
    sha1: "14e7654a2e6d9f69f5cf00b0087394c4fde14f0a",
    lua: `-- limiter.gcra
${NOW}local function run(keyAt, argAt)
  local state = KEYS[keyAt + 1]
  local costMicros, depthMicros = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2])
  local at = nowMicros()
  local stored = redis.call('GET', state)
  local tat = stored and struct.unpack('d', stored) or at
  local backlog = tat > at and tat - at or 0
  local taken = backlog + costMicros
  if taken > depthMicros then return -backlog end
  local full = at + taken
  local second = full - full % 1000000
  if stored and tat >= second and tat < second + 1000000 then
    redis.call('SET', state, struct.pack('d', full), 'KEEPTTL')
  else
    redis.call('SET', state, struct.pack('d', full), 'EXAT', second / 1000000 + 1)
  end
  return taken
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 2 and 2 or 0
for keyAt = 0, #KEYS - 1, 1 do
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

export interface SlidingPeekKeys {
  readonly state: Arg;
}

export interface SlidingPeekArgs {
  readonly windowMs: number;
}

export type SlidingPeekResult = Buffer;

/** The elapsed time of the current window, what was counted in it, and in the window before it; packed as the reply of `sliding`. */
export const slidingPeek: BatchScript<SlidingPeekKeys, SlidingPeekArgs, SlidingPeekResult> = {
  class: "read",
  name: "limiter.slidingPeek",
  sha1: "ec7c5b23aee6da4eaa2072bf886fcdd731c7680f",
  lua: `-- limiter.slidingPeek
${NOW}${WINDOWS}local state = KEYS[1]
local windowMs = tonumber(ARGV[1])
local _, elapsed, current, previous = countsNow(state, windowMs)
return struct.pack(WINDOWS, elapsed, current, previous)
`,
  encodeKeys(keys, out) {
    out.push(keys.state);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("windowMs", args.windowMs));
  },
  decode(reply) {
    return decodeBytes(reply);
  },
  merged: {
    name: "limiter.slidingPeek (merged)",
    sha1: "0b21697d6549a14e0fc4df035c55d01b74ff9ffc",
    lua: `-- limiter.slidingPeek
${NOW}${WINDOWS}local function run(keyAt, argAt)
  local state = KEYS[keyAt + 1]
  local windowMs = tonumber(ARGV[argAt + 1])
  local _, elapsed, current, previous = countsNow(state, windowMs)
  return struct.pack(WINDOWS, elapsed, current, previous)
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 1 and 1 or 0
for keyAt = 0, #KEYS - 1, 1 do
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

export interface SlidingKeys {
  readonly state: Arg;
}

export interface SlidingArgs {
  readonly cost: number;
  readonly limit: number;
  readonly windowMs: number;
}

export type SlidingResult = Buffer;

/**
 * Counts `cost` in the current window, if that and the part of the previous window which still reaches into the last
 * `windowMs` milliseconds stay within `limit`. The estimate is compared in units times milliseconds, so nothing is rounded.
 * The reply is the elapsed time of the window (minus one and negated where it was denied and nothing changed), what was
 * counted in it, and in the window before it: packed as what is stored, since a table of three costs twice as much.
 */
export const sliding: BatchScript<SlidingKeys, SlidingArgs, SlidingResult> = {
  class: "unsafe",
  name: "limiter.sliding",
  sha1: "2ba237d66123a08cf3f662eb847f3b83e3883fe9",
  lua: `-- limiter.sliding
${NOW}${WINDOWS}local state = KEYS[1]
local cost, limit, windowMs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local window, elapsed, current, previous = countsNow(state, windowMs)
local taken = current + cost
if previous * (windowMs - elapsed) + taken * windowMs > limit * windowMs then
  return struct.pack(WINDOWS, -1 - elapsed, current, previous)
end
local counts = struct.pack(WINDOWS, window, taken, previous)
if current > 0 then
  redis.call('SET', state, counts, 'KEEPTTL')
else
  redis.call('SET', state, counts, 'PXAT', (window + 2) * windowMs)
end
return struct.pack(WINDOWS, elapsed, taken, previous)
`,
  encodeKeys(keys, out) {
    out.push(keys.state);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("cost", args.cost), encodeInt("limit", args.limit), encodeInt("windowMs", args.windowMs));
  },
  decode(reply) {
    return decodeBytes(reply);
  },
  merged: {
    name: "limiter.sliding (merged)",
    sha1: "f91597bf19524b9de7eac3c90f207f4cd2599ace",
    lua: `-- limiter.sliding
${NOW}${WINDOWS}local function run(keyAt, argAt)
  local state = KEYS[keyAt + 1]
  local cost, limit, windowMs = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3])
  local window, elapsed, current, previous = countsNow(state, windowMs)
  local taken = current + cost
  if previous * (windowMs - elapsed) + taken * windowMs > limit * windowMs then
    return struct.pack(WINDOWS, -1 - elapsed, current, previous)
  end
  local counts = struct.pack(WINDOWS, window, taken, previous)
  if current > 0 then
    redis.call('SET', state, counts, 'KEEPTTL')
  else
    redis.call('SET', state, counts, 'PXAT', (window + 2) * windowMs)
  end
  return struct.pack(WINDOWS, elapsed, taken, previous)
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 3 and 3 or 0
for keyAt = 0, #KEYS - 1, 1 do
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
