// Generated from count.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeInt, decodeList } from "../script/decode.ts";
import type { Script } from "../script/script.ts";

export interface CountKeys {
  readonly links: Arg;
  readonly counts: Arg;
  readonly expiry: Arg;
}

export interface CountArgs {
  readonly tags: readonly Arg[];
}

export type CountResult = number[];

/** How many items have each of these tags. Expired items that no write has taken out yet are subtracted, up to a limit. */
export const count: Script<CountKeys, CountArgs, CountResult> = {
  class: "read",
  name: "tags.count",
  sha1: "8efe8bf80525a0361b8701e78825245260a4e94f",
  lua: `-- tags.count
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
local links, counts, expiry = KEYS[1], KEYS[2], KEYS[3]
local tags = ARGV
local MAX_CHECKS = 20000
local MAX_ENDED = 1000
local found = redis.call('HMGET', counts, unpack(tags))
local limit = math.min(MAX_ENDED, math.floor(MAX_CHECKS / #tags))
local ended = redis.call('ZRANGE', expiry, '-inf', now(), 'BYSCORE', 'LIMIT', 0, limit)
for at, tag in ipairs(tags) do
  local count = tonumber(found[at]) or 0
  if count > 0 and #ended > 0 then
    local members = {}
    for i, item in ipairs(ended) do members[i] = tag .. '\\0' .. item end
    for _, score in ipairs(redis.call('ZMSCORE', links, unpack(members))) do
      if score then count = count - 1 end
    end
  end
  found[at] = count
end
return found
`,
  encodeKeys(keys, out) {
    out.push(keys.links, keys.counts, keys.expiry);
  },
  encodeArgs(args, out) {
    for (const each of args.tags) out.push(each);
  },
  decode(reply) {
    return decodeList(reply, decodeInt);
  },
};
