// Generated from positions.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeFloat, decodeList, decodeOptional } from "../script/decode.ts";
import type { Script } from "../script/script.ts";

export interface PositionsKeys {
  readonly places: Arg;
  readonly ends: Arg;
}

export interface PositionsArgs {
  readonly members: readonly string[];
}

export type PositionsResult = (number | null)[];

/** Longitude and latitude of each member by turns; nil for both of one that is not there. */
export const positions: Script<PositionsKeys, PositionsArgs, PositionsResult> = {
  class: "read",
  name: "geo.positions",
  sha1: "2e119a5f50e3002bb8291c9777771d9038b36a28",
  lua: `-- geo.positions
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
local places, ends = KEYS[1], KEYS[2]
local members = ARGV
local positions = redis.call('GEOPOS', places, unpack(members))
local over = redis.call('ZMSCORE', ends, unpack(members))
local flat = {}
for i = 1, #members do
  local live = positions[i] and over[i] and tonumber(over[i]) > now()
  flat[i * 2 - 1], flat[i * 2] = live and positions[i][1] or false, live and positions[i][2] or false
end
return flat
`,
  encodeKeys(keys, out) {
    out.push(keys.places, keys.ends);
  },
  encodeArgs(args, out) {
    for (const each of args.members) out.push(each);
  },
  decode(reply) {
    return decodeList(reply, (part) => decodeOptional(part, decodeFloat));
  },
};
