// Generated from list.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeList, decodeText } from "../script/decode.ts";
import type { None, Script } from "../script/script.ts";

export interface ListKeys {
  readonly index: Arg;
}

export type ListArgs = None;

export type ListResult = string[];

/** The handles of a user's live sessions. */
export const list: Script<ListKeys, ListArgs, ListResult> = {
  class: "read",
  name: "sessions.list",
  sha1: "1ce27ce8ebcd1d2a232cac202f549552fbe911dc",
  lua: `-- sessions.list
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
local index = KEYS[1]
return redis.call('ZRANGE', index, '(' .. now(), '+inf', 'BYSCORE')
`,
  encodeKeys(keys, out) {
    out.push(keys.index);
  },
  encodeArgs() {},
  decode(reply) {
    return decodeList(reply, decodeText);
  },
};
