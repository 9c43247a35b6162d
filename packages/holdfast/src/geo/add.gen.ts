// Generated from add.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeInt } from "../script/decode.ts";
import { encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface AddKeys {
  readonly places: Arg;
  readonly ends: Arg;
}

export interface AddArgs {
  readonly ttlMs: number;
  /** longitude, latitude and member by turns */
  readonly entries: readonly Arg[];
}

export type AddResult = number;

/** Add members or move them, and begin their time to live anew. */
export const add: Script<AddKeys, AddArgs, AddResult> = {
  class: "idempotent",
  name: "geo.add",
  sha1: "4b46ea8e654fe3eabf405046e2f5ede4c6f717fa",
  lua: `-- geo.add
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
local ttlMs = tonumber(ARGV[1])
local entries = {}
for i = 2, #ARGV do entries[i - 1] = ARGV[i] end
local function keep(key)
  if redis.call('PEXPIRE', key, ttlMs, 'NX') == 0 then redis.call('PEXPIRE', key, ttlMs, 'GT') end
end
sweep(places, ends)
local over, scored = now() + ttlMs, {}
for i = 3, #entries, 3 do
  scored[#scored + 1] = over
  scored[#scored + 1] = entries[i]
end
local added = redis.call('GEOADD', places, unpack(entries))
redis.call('ZADD', ends, unpack(scored))
keep(places)
keep(ends)
return added
`,
  encodeKeys(keys, out) {
    out.push(keys.places, keys.ends);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("ttlMs", args.ttlMs));
    for (const each of args.entries) out.push(each);
  },
  decode(reply) {
    return decodeInt(reply);
  },
};
