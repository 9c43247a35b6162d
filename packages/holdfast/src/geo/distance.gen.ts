// Generated from distance.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeFloat, decodeOptional } from "../script/decode.ts";
import type { BatchScript } from "../script/script.ts";

export interface DistanceKeys {
  readonly places: Arg;
  readonly ends: Arg;
}

export interface DistanceArgs {
  readonly from: string;
  readonly to: string;
}

export type DistanceResult = number | null;

/** Metres between two members; nil when one of them is not there. */
export const distance: BatchScript<DistanceKeys, DistanceArgs, DistanceResult> = {
  class: "read",
  name: "geo.distance",
  sha1: "ff80310c7db560eeccf2528ba72b87741f7444ca",
  lua: `-- geo.distance
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
local MAX_ENDED_PER_CALL = 1000
local function isLive(places, ends, member)
  local over = redis.call('ZSCORE', ends, member)
  return over and tonumber(over) > now() and redis.call('ZSCORE', places, member) and true
end
local function sweep(places, ends)
  if redis.call('ZCARD', places) > 0 and redis.call('EXISTS', ends) == 0 then redis.call('UNLINK', places) end
  local over = redis.call('ZRANGE', ends, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_ENDED_PER_CALL)
  if #over > 0 then
    redis.call('ZREM', places, unpack(over))
    redis.call('ZREM', ends, unpack(over))
  end
  return #over < MAX_ENDED_PER_CALL
end
local places, ends = KEYS[1], KEYS[2]
local from, to = ARGV[1], ARGV[2]
if not (isLive(places, ends, from) and isLive(places, ends, to)) then return false end
return redis.call('GEODIST', places, from, to, 'm')
`,
  encodeKeys(keys, out) {
    out.push(keys.places, keys.ends);
  },
  encodeArgs(args, out) {
    out.push(args.from, args.to);
  },
  decode(reply) {
    return decodeOptional(reply, decodeFloat);
  },
  merged: {
    name: "geo.distance (merged)",
    sha1: "38795d137a474b2851d5b3c4e767568a3c4ebdce",
    lua: `-- geo.distance
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
local MAX_ENDED_PER_CALL = 1000
local function isLive(places, ends, member)
  local over = redis.call('ZSCORE', ends, member)
  return over and tonumber(over) > now() and redis.call('ZSCORE', places, member) and true
end
local function sweep(places, ends)
  if redis.call('ZCARD', places) > 0 and redis.call('EXISTS', ends) == 0 then redis.call('UNLINK', places) end
  local over = redis.call('ZRANGE', ends, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_ENDED_PER_CALL)
  if #over > 0 then
    redis.call('ZREM', places, unpack(over))
    redis.call('ZREM', ends, unpack(over))
  end
  return #over < MAX_ENDED_PER_CALL
end
local function run(keyAt, argAt)
  local places, ends = KEYS[keyAt + 1], KEYS[keyAt + 2]
  local from, to = ARGV[argAt + 1], ARGV[argAt + 2]
  if not (isLive(places, ends, from) and isLive(places, ends, to)) then return false end
  return redis.call('GEODIST', places, from, to, 'm')
end
local outcomes, size, argAt = {}, 0, 0
for keyAt = 0, #KEYS - 1, 2 do
  local ok, reply = pcall(run, keyAt, argAt)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  if reply == nil then reply = false end
  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply
  size, argAt = size + 2, argAt + 2
end
return outcomes
`,
  },
};
