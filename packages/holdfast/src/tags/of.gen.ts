// Generated from of.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeList, decodeOptional, decodeText } from "../script/decode.ts";
import type { Script } from "../script/script.ts";

export interface OfKeys {
  readonly items: Arg;
  readonly expiry: Arg;
}

export interface OfArgs {
  readonly wanted: readonly Arg[];
}

export type OfResult = (string | null)[];

/** The tags of items, separated by NUL; nil where there are none. */
export const of: Script<OfKeys, OfArgs, OfResult> = {
  class: "read",
  name: "tags.of",
  sha1: "9244b506646f4301dcc48cce357eb9e59a920d8e",
  lua: `-- tags.of
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
local function endedAmong(expiry, items)
  local ended = redis.call('ZMSCORE', expiry, unpack(items))
  for at, endsAt in ipairs(ended) do ended[at] = endsAt and tonumber(endsAt) <= now() end
  return ended
end
local items, expiry = KEYS[1], KEYS[2]
local wanted = ARGV
local found = redis.call('HMGET', items, unpack(wanted))
for at, ended in ipairs(endedAmong(expiry, wanted)) do
  if ended then found[at] = false end
end
return found
`,
  encodeKeys(keys, out) {
    out.push(keys.items, keys.expiry);
  },
  encodeArgs(args, out) {
    for (const each of args.wanted) out.push(each);
  },
  decode(reply) {
    return decodeList(reply, (part) => decodeOptional(part, decodeText));
  },
};
