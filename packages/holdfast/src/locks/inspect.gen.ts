// Generated from inspect.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeInt, decodeText, decodeUnion, expectFields } from "../script/decode.ts";
import type { None, Script } from "../script/script.ts";

export interface InspectKeys {
  readonly lock: Arg;
  readonly alive: Arg;
}

export type InspectArgs = None;

export type InspectResult =
  | { readonly status: "free" }
  | { readonly status: "held"; readonly owner: string; readonly fence: number; readonly ttlMs: number; readonly waiters: number };

/** Who holds the lock, and how many wait for it. */
export const inspect: Script<InspectKeys, InspectArgs, InspectResult> = {
  class: "read",
  name: "locks.inspect",
  sha1: "0c2253c679e65db064abf1f36fcbdb5bdfe52072",
  lua: `-- locks.inspect
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
local lock, alive = KEYS[1], KEYS[2]
local state = redis.call('HMGET', lock, 'owner', 'fence')
if not state[1] then return {'free'} end
local waiters = redis.call('ZCOUNT', alive, now(), '+inf')
return {'held', state[1], tonumber(state[2]), redis.call('PTTL', lock), waiters}
`,
  encodeKeys(keys, out) {
    out.push(keys.lock, keys.alive);
  },
  encodeArgs() {},
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "free":
        expectFields(fields, 0);
        return { status: "free" };
      case "held":
        expectFields(fields, 4);
        return { status: "held", owner: decodeText(fields[1]), fence: decodeInt(fields[2]), ttlMs: decodeInt(fields[3]), waiters: decodeInt(fields[4]) };
      default:
        throw new UnexpectedReplyError("one of free, held", reply);
    }
  },
};
