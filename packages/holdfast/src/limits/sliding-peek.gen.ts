// Generated from sliding-peek.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeInt, decodeList } from "../script/decode.ts";
import { encodeInt } from "../script/encode.ts";
import type { BatchScript } from "../script/script.ts";

export interface SlidingPeekKeys {
  readonly state: Arg;
}

export interface SlidingPeekArgs {
  readonly windowMs: number;
}

export type SlidingPeekResult = number[];

/** The elapsed time of the current window, what was counted in it, and in the window before it. */
export const slidingPeek: BatchScript<SlidingPeekKeys, SlidingPeekArgs, SlidingPeekResult> = {
  class: "read",
  name: "limits.slidingPeek",
  sha1: "f0754d93258193206e47c7fc3fdba28f31753538",
  lua: `-- limits.slidingPeek
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
local windowMs = tonumber(ARGV[1])
local _, elapsed, current, previous = countsNow(state, windowMs)
return {elapsed, current, previous}
`,
  encodeKeys(keys, out) {
    out.push(keys.state);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("windowMs", args.windowMs));
  },
  decode(reply) {
    return decodeList(reply, decodeInt);
  },
  merged: {
    name: "limits.slidingPeek (merged)",
    sha1: "72b8fa21bca01b0915de9c76bd33ca0d95243d00",
    lua: `-- limits.slidingPeek
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
  local windowMs = tonumber(ARGV[argAt + 1])
  local _, elapsed, current, previous = countsNow(state, windowMs)
  return {elapsed, current, previous}
end
local outcomes, size, argAt = {}, 0, 0
for keyAt = 0, #KEYS - 1, 1 do
  local ok, reply = pcall(run, keyAt, argAt)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  if reply == nil then reply = false end
  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply
  size, argAt = size + 2, argAt + 1
end
return outcomes
`,
  },
};
