// Generated from sliding.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeInt, decodeList } from "../script/decode.ts";
import { encodeInt } from "../script/encode.ts";
import type { BatchScript } from "../script/script.ts";

export interface SlidingKeys {
  readonly state: Arg;
}

export interface SlidingArgs {
  readonly cost: number;
  readonly limit: number;
  readonly windowMs: number;
}

export type SlidingResult = number[];

/**
 * Count `cost` in the current window, if that and the part of the previous window which still reaches into the last
 * `windowMs` milliseconds stay within `limit`. The estimate is compared in units times milliseconds, so nothing is rounded.
 * The reply is the elapsed time of the window (minus one and negated where it was denied and nothing changed), what was
 * counted in it, and in the window before it.
 */
export const sliding: BatchScript<SlidingKeys, SlidingArgs, SlidingResult> = {
  class: "unsafe",
  name: "limits.sliding",
  sha1: "a04933144cd47a106a5780322476950280618979",
  lua: `-- limits.sliding
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
local function countsNow(state, windowMs)
  local at = now()
  local window, elapsed = math.floor(at / windowMs), at % windowMs
  local stored = redis.call('GET', state)
  if not stored then return window, elapsed, 0, 0 end
  local of, current, previous = string.match(stored, '^(%d+):(%d+):(%d+)$')
  of, current, previous = tonumber(of), tonumber(current), tonumber(previous)
  if of == window then return window, elapsed, current, previous end
  if of == window - 1 then return window, elapsed, 0, current end
  if of > window then return of, 0, current, previous end
  return window, elapsed, 0, 0
end
local state = KEYS[1]
local cost, limit, windowMs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local window, elapsed, current, previous = countsNow(state, windowMs)
local taken = current + cost
if previous * (windowMs - elapsed) + taken * windowMs > limit * windowMs then
  return {-1 - elapsed, current, previous}
end
local counts = window .. ':' .. taken .. ':' .. previous
if current > 0 then
  redis.call('SET', state, counts, 'KEEPTTL')
else
  redis.call('SET', state, counts, 'PXAT', (window + 2) * windowMs)
end
return {elapsed, taken, previous}
`,
  encodeKeys(keys, out) {
    out.push(keys.state);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("cost", args.cost), encodeInt("limit", args.limit), encodeInt("windowMs", args.windowMs));
  },
  decode(reply) {
    return decodeList(reply, decodeInt);
  },
  merged: {
    name: "limits.sliding (merged)",
    sha1: "add1a71b9d22a66e2016dbd689f65e15caa9ba6b",
    lua: `-- limits.sliding
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
local function countsNow(state, windowMs)
  local at = now()
  local window, elapsed = math.floor(at / windowMs), at % windowMs
  local stored = redis.call('GET', state)
  if not stored then return window, elapsed, 0, 0 end
  local of, current, previous = string.match(stored, '^(%d+):(%d+):(%d+)$')
  of, current, previous = tonumber(of), tonumber(current), tonumber(previous)
  if of == window then return window, elapsed, current, previous end
  if of == window - 1 then return window, elapsed, 0, current end
  if of > window then return of, 0, current, previous end
  return window, elapsed, 0, 0
end
local function run(keyAt, argAt)
  local state = KEYS[keyAt + 1]
  local cost, limit, windowMs = tonumber(ARGV[argAt + 1]), tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3])
  local window, elapsed, current, previous = countsNow(state, windowMs)
  local taken = current + cost
  if previous * (windowMs - elapsed) + taken * windowMs > limit * windowMs then
    return {-1 - elapsed, current, previous}
  end
  local counts = window .. ':' .. taken .. ':' .. previous
  if current > 0 then
    redis.call('SET', state, counts, 'KEEPTTL')
  else
    redis.call('SET', state, counts, 'PXAT', (window + 2) * windowMs)
  end
  return {elapsed, taken, previous}
end
local outcomes, size, argAt = {}, 0, 0
for keyAt = 0, #KEYS - 1, 1 do
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
