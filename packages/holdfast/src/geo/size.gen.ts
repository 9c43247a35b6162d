// Generated from size.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeInt } from "../script/decode.ts";
import type { None, Script } from "../script/script.ts";

export interface SizeKeys {
  readonly ends: Arg;
}

export type SizeArgs = None;

export type SizeResult = number;

/** How many members there are. */
export const size: Script<SizeKeys, SizeArgs, SizeResult> = {
  class: "read",
  name: "geo.size",
  sha1: "23b6c2dfae152f96d58c90923ba2fbc6ffad32d4",
  lua: `-- geo.size
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
local ends = KEYS[1]
return redis.call('ZCOUNT', ends, string.format('(%.0f', now()), '+inf')
`,
  encodeKeys(keys, out) {
    out.push(keys.ends);
  },
  encodeArgs() {},
  decode(reply) {
    return decodeInt(reply);
  },
};
