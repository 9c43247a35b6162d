// Generated from remove.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeBool } from "../script/decode.ts";
import type { BatchScript } from "../script/script.ts";

export interface RemoveKeys {
  readonly places: Arg;
  readonly ends: Arg;
}

export interface RemoveArgs {
  readonly member: string;
}

export type RemoveResult = boolean;

/** Remove a member; whether it was there. */
export const remove: BatchScript<RemoveKeys, RemoveArgs, RemoveResult> = {
  class: "idempotent",
  name: "geo.remove",
  sha1: "7fa3447723bc4ed82f7ee9abeab7207ef730416e",
  lua: `-- geo.remove
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
local member = ARGV[1]
local live = isLive(places, ends, member)
redis.call('ZREM', places, member)
redis.call('ZREM', ends, member)
return live
`,
  encodeKeys(keys, out) {
    out.push(keys.places, keys.ends);
  },
  encodeArgs(args, out) {
    out.push(args.member);
  },
  decode(reply) {
    return decodeBool(reply);
  },
  merged: {
    name: "geo.remove (merged)",
    sha1: "436bdd127e89a6c83e2be09e3e5341b41b704e61",
    lua: `-- geo.remove
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
  local member = ARGV[argAt + 1]
  local live = isLive(places, ends, member)
  redis.call('ZREM', places, member)
  redis.call('ZREM', ends, member)
  return live
end
local outcomes, size, argAt = {}, 0, 0
for keyAt = 0, #KEYS - 1, 2 do
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
